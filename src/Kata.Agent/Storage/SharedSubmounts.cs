using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>
/// The file systems inside the shared one. The host announces each directory that is a mount there, and the guest's kernel mounts
/// it by itself, as a file system of its own, when a path first crosses it.
/// </summary>
/// <remarks>
/// Left alone, that happens in the container's mount namespace, so the file system ends with the container's last process. But
/// FUSE closes files in the background and holds their inodes meanwhile; a file system that ends before is "Busy inodes after
/// unmount", which Debian's kernels (CONFIG_BUG_ON_DATA_CORRUPTION) make fatal to the process that was to end. So the agent
/// crosses into each first, which keeps it mounted here, and unmounts it when the container and its requests are gone. A directory
/// that is a mount point cannot be dropped from the parent's cache either, which would make the host forget it under the submount.
/// </remarks>
internal static class SharedSubmounts
{
    private const string Type = "virtiofs";

    /// <summary>Mounts what the directories cross into. Paths that are files, or are not there, are left to whoever uses them.</summary>
    /// <returns>Those that became mounts inside the shared file system: the caller unmounts them, after <see cref="Drain"/>.</returns>
    public static IReadOnlyList<string> Enter(IEnumerable<string> directories)
    {
        var wanted = new HashSet<string>(directories, StringComparer.Ordinal);
        foreach (string path in wanted)
        {
            // Opening for reading follows an automount, as O_PATH would not.
            LibC.open(path, LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0).Dispose();
        }

        return Find(File.ReadLines("/proc/self/mountinfo"), wanted);
    }

    /// <summary>
    /// Waits until the host has answered what was asked of it before: one call that it must answer too, and that holds no inode.
    /// </summary>
    public static void Drain(string path) => _ = new DriveInfo(path).TotalSize; // statfs(2)

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
