using Kata.Agent.Protocol.Oci;
using Kata.Agent.Storage;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Containers;

/// <summary>
/// A container's files as its processes see them. Before crun has made the mounts of the container, they are followed here by their paths.
/// </summary>
internal sealed class ContainerFiles
{
    private readonly string _root;
    private readonly IReadOnlyList<Mount> _mounts;

    private ContainerFiles(string root, IReadOnlyList<Mount> mounts) => (_root, _mounts) = (root, mounts);

    /// <summary>Of a container that crun is to make.</summary>
    public static ContainerFiles Planned(Spec spec) => new(spec.Root?.Path ?? "", spec.Mounts);

    /// <summary>Of one that lives.</summary>
    /// <param name="pid">A process of it.</param>
    public static ContainerFiles Of(int pid) => new($"/proc/{pid}/root", []);

    /// <summary>
    /// Makes the directory of the nodes where it is missing in the root file system: crun makes those, and not the directory. What cannot
    /// be made is crun's to refuse, in its own words.
    /// </summary>
    public void MakeDeviceDirectory()
    {
        const string Node = "/dev/null";
        if (Locate(Node) is not (var root, Node))
        {
            return; // something is mounted there
        }

        try
        {
            using ConfinedDirectory directory = ConfinedDirectory.OpenAsRoot(root);
            directory.OpenParent(Node, FileModes.ReadableDirectory).Dispose();
        }
        catch (LinuxException)
        {
        }
    }

    /// <inheritdoc cref="ConfinedDirectory.ReadText"/>
    /// <remarks>A root or a mount that is not there is crun's to refuse, in its own words.</remarks>
    public string? ReadText(string path, int limit)
    {
        if (Locate(path) is not { } place)
        {
            return null;
        }

        try
        {
            using ConfinedDirectory directory = ConfinedDirectory.OpenAsRoot(place.Directory);
            return directory.ReadText(place.Path, limit);
        }
        catch (LinuxException error) when (error.Errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            return null;
        }
    }

    /// <summary>Whether there is something that somebody may execute, and no directory.</summary>
    public bool IsProgram(string path)
    {
        if (Locate(path) is not { } place)
        {
            return false;
        }

        try
        {
            using ConfinedDirectory directory = ConfinedDirectory.OpenAsRoot(place.Directory);
            using SafeFileDescriptor file = directory.OpenFile(place.Path, LibC.O_PATH);
            FileStatus status = FileStatus.Of(file);
            return !status.IsDirectory && (status.Mode & FileModes.AnyExecute) != 0;
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    /// <summary>
    /// Where a path of the container is in the guest: a directory, and the path below it. Null when nothing can be there yet.
    /// </summary>
    internal (string Directory, string Path)? Locate(string path)
    {
        // Of several mounts that cover a path the last one shows.
        if (_mounts.LastOrDefault(mount => IsWithin(path, mount.Destination)) is not { } covering)
        {
            return (_root, path);
        }

        if (covering.Type != "bind")
        {
            return null; // an empty file system of the guest's kernel
        }

        string below = path[covering.Destination.TrimEnd('/').Length..];
        return below.Length > 0 ? (covering.Source, below)
            : (Path.GetDirectoryName(covering.Source) ?? "/", Path.GetFileName(covering.Source));
    }

    private static bool IsWithin(string path, string directory)
    {
        string prefix = directory.TrimEnd('/');
        return path == prefix || path.StartsWith(prefix + "/", StringComparison.Ordinal);
    }
}
