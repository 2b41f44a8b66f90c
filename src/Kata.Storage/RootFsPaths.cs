using Kata.Linux;

namespace Kata.Storage;

/// <summary>Follows the links of a container's root file system as the container would, and never out of it.</summary>
internal static class RootFsPaths
{
    private const int MaxLinks = 40; // the kernel's own limit, path_resolution(7)

    /// <summary>
    /// Where <paramref name="destination"/> is once its links are followed: what a link leads to need not exist. At a mount of the
    /// container it goes no further, as only the guest sees what is there.
    /// </summary>
    /// <param name="root">The root file system.</param>
    /// <param name="destination">Absolute, as in the specification.</param>
    /// <param name="mounted">What is mounted before, as this function gave it.</param>
    /// <returns>Absolute, without links, <c>.</c> and <c>..</c>.</returns>
    /// <exception cref="LinuxException">ELOOP: links lead in a circle.</exception>
    public static string Resolve(SafeFileDescriptor root, string destination, IReadOnlySet<string> mounted)
    {
        var names = new List<string>();
        var left = new Stack<string>();
        Push(left, destination);
        int links = 0;
        bool beyond = false;
        while (left.TryPop(out string? name))
        {
            if (name == "..")
            {
                names.RemoveRange(Math.Max(names.Count - 1, 0), Math.Min(names.Count, 1));
                continue;
            }

            names.Add(name);
            beyond = beyond || mounted.Contains("/" + string.Join('/', names));
            if (beyond || SymbolicLink.Read(root, string.Join('/', names)) is not { } target)
            {
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new LinuxException("readlinkat", $"follow the mount point '{destination}' in the root file system", Errno.ELOOP);
            }

            if (target.StartsWith('/'))
            {
                names.Clear();
            }
            else
            {
                names.RemoveAt(names.Count - 1);
            }

            Push(left, target);
        }

        return "/" + string.Join('/', names);
    }

    private static void Push(Stack<string> names, string path)
    {
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
        {
            if (name != ".")
            {
                names.Push(name);
            }
        }
    }
}
