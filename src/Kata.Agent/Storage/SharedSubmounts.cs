using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>
/// The file systems inside the shared one. The host announces each directory that is a mount there, and the guest's kernel mounts
/// it by itself, as a file system of its own, when a path first crosses it.
/// </summary>
/// <remarks>
/// Left alone, that happens in the container's mount namespace, once in each container: one directory of the host would be as many file
/// systems, with a cache each, whose sockets and locks do not meet. And such a file system ends with the container's last process, but
/// FUSE closes files in the background and holds their inodes meanwhile; a file system that ends before is "Busy inodes after
/// unmount", which Debian's kernels (CONFIG_BUG_ON_DATA_CORRUPTION) make fatal to the process that was to end. So the agent
/// crosses into each before the first container that uses it, and unmounts it after the last, when its requests are done. A directory
/// that is a mount point cannot be dropped from the parent's cache either, which would make the host forget it under the submount.
/// </remarks>
internal sealed class SharedSubmounts
{
    private const string Type = "virtiofs";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _users = new(StringComparer.Ordinal); // guarded by _gate

    /// <summary>Mounts what the paths cross into, and keeps it until <see cref="Leave"/>.</summary>
    /// <param name="paths">Those that a container uses.</param>
    /// <returns>Those that are mounts inside the shared file system, for <see cref="Leave"/>. A file is none.</returns>
    public IReadOnlyList<string> Enter(IReadOnlyCollection<string> paths)
    {
        // A container may use a directory inside one of the host's mounts.
        var wanted = new HashSet<string>(paths.SelectMany(Prefixes), StringComparer.Ordinal);
        while (true)
        {
            foreach (string path in paths)
            {
                // Opening for reading follows an automount at the path itself, as O_PATH would not; those on the way are crossed anyway.
                LibC.open(path, LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0).Dispose();
            }

            IReadOnlyList<string> crossed = Find(wanted);
            lock (_gate)
            {
                IReadOnlyList<string> found = Find(wanted);
                if (found.Count < crossed.Count)
                {
                    continue; // the last user of one has left meanwhile
                }

                foreach (string path in found)
                {
                    _users[path] = _users.GetValueOrDefault(path) + 1;
                }

                return found;
            }
        }
    }

    /// <summary>
    /// Ends one use of each mount. What nobody uses any more is unmounted, once the host has answered what was asked of it.
    /// </summary>
    /// <param name="entered">From <see cref="Enter"/>.</param>
    /// <returns>Those that the kernel would not unmount.</returns>
    public IReadOnlyList<string> Leave(IReadOnlyList<string> entered)
    {
        var left = new List<string>();
        foreach (string path in entered.Reverse())
        {
            Drain(path);
            lock (_gate)
            {
                int users = _users.GetValueOrDefault(path) - 1;
                if (users > 0)
                {
                    _users[path] = users;
                }
                else
                {
                    _users.Remove(path);
                    if (!MountedStorage.TryDetach(path))
                    {
                        left.Add(path);
                    }
                }
            }
        }

        return left;
    }

    /// <summary>
    /// Waits until the host has answered what was asked of it before: one call that it must answer too, and that holds no inode.
    /// </summary>
    public static void Drain(string path)
    {
        try
        {
            _ = new DriveInfo(path).TotalSize; // statfs(2)
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The host has answered.
        }
    }

    /// <summary>The directories on the way to a path, and the path itself.</summary>
    internal static IEnumerable<string> Prefixes(string path)
    {
        for (int end = path.IndexOf('/', Math.Min(1, path.Length)); end >= 0; end = path.IndexOf('/', end + 1))
        {
            yield return path[..end];
        }

        yield return path;
    }

    private static IReadOnlyList<string> Find(HashSet<string> paths) => Find(File.ReadLines("/proc/self/mountinfo"), paths);

    /// <summary>Which of the paths are mounts inside a shared file system, by <c>/proc/PID/mountinfo</c> (proc(5)).</summary>
    internal static IReadOnlyList<string> Find(IEnumerable<string> mountinfo, IReadOnlySet<string> paths)
    {
        var shared = new HashSet<string>(StringComparer.Ordinal); // ids of mounts; a parent's line comes before its children's
        var found = new List<string>();
        foreach (string line in mountinfo)
        {
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (separator < 5 || separator + 1 >= fields.Length || fields[separator + 1] != Type)
            {
                continue;
            }

            shared.Add(fields[0]);
            if (shared.Contains(fields[1]) && paths.Contains(fields[4]))
            {
                found.Add(fields[4]);
            }
        }

        return found;
    }
}
