using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Service;

/// <summary>
/// What an engine finds in the namespaces of a stand-in: the container's root file system as its root, and no process but the
/// stand-in. What the guest mounts over the root file system is not there, and processes of the container are not either.
/// </summary>
internal static class ContainerView
{
    /// <summary>
    /// Makes <paramref name="rootFs"/> the root of the calling process, all its threads, and its mount namespace, which must be its own
    /// already. No path of the host can be opened afterwards.
    /// </summary>
    /// <exception cref="LinuxException">The kernel refused a step: the process is of no use any more.</exception>
    public static void Enter(string rootFs)
    {
        // A bind mount of it on itself: pivot_root(2) wants a mount point.
        LinuxException.ThrowIfNegative(
            LibC.mount(rootFs, rootFs, null, MountFlags.MS_BIND | MountFlags.MS_REC, null), "mount", $"mount the root file system '{rootFs}'");
        RootDirectory.Enter(rootFs);
        // An image without the directory does without: whoever looks for processes then finds none.
        _ = LibC.mount("proc", "/proc", "proc", MountFlags.MS_NOSUID | MountFlags.MS_NODEV | MountFlags.MS_NOEXEC, null);
    }
}
