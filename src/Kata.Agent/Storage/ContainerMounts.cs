using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>Mounts in the mount namespace of a living container. Links there lead where the container itself would be led.</summary>
internal static class ContainerMounts
{
    /// <param name="pid">A process of the container.</param>
    /// <param name="source">A directory or file of the agent's.</param>
    /// <param name="destination">In the container; it exists.</param>
    /// <param name="readOnly">Whether it can be written to there.</param>
    public static void Add(int pid, string source, string destination, bool readOnly)
    {
        using DetachedMount tree = DetachedMount.Of(source, recursive: false);
        tree.SetAttributes(LibC.MOUNT_ATTR_NODEV | (readOnly ? LibC.MOUNT_ATTR_RDONLY : 0ul), recursive: false);
        Run(pid, () =>
        {
            using SafeFileDescriptor point = LinuxException.ThrowIfInvalid(
                LibC.open(destination, LibC.O_PATH | LibC.O_CLOEXEC, 0), "open", $"open the mount point '{destination}' of the container");
            tree.AttachTo(point);
        });
    }

    /// <summary>Takes away what is mounted on top there, at once for every path that leads there; what is open stays.</summary>
    public static void Remove(int pid, string destination) => Run(pid, () => LinuxException.ThrowIfNegative(
        LibC.umount2(destination, LibC.MNT_DETACH), "umount2", $"unmount '{destination}' of the container"));

    private static void Run(int pid, Action work)
    {
        using SafeFileDescriptor space = LinuxException.ThrowIfInvalid(
            LibC.open($"/proc/{pid}/ns/mnt", LibC.O_CLOEXEC, 0), "open", "open the mount namespace of the container");
        _ = NamespaceThread.Run(() =>
        {
            LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_FS), "unshare(FS)", "leave the shared root directory");
            LinuxException.ThrowIfNegative(LibC.setns(space, LibC.CLONE_NEWNS), "setns", "enter the mount namespace of the container");
            work();
            return true;
        });
    }
}
