using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Storage;

/// <summary>Makes mounts that nobody else ever sees: as a detached tree, which ends with its descriptor and cannot be left behind.</summary>
internal static class HostMounts
{
    /// <summary>
    /// Copies what is at <paramref name="path"/>, with the mounts below it, as it is once <paramref name="mounts"/> are made there. Paths are those
    /// of <paramref name="mountNamespace"/> (a descriptor of <c>/proc/PID/ns/mnt</c>), or of the caller's own. The result belongs to the caller.
    /// </summary>
    /// <exception cref="LinuxException">A mount cannot be made; none is left.</exception>
    public static DetachedMount OpenTree(string path, IReadOnlyList<FileSystemMount> mounts, SafeFileDescriptor? mountNamespace) =>
        mounts.Count == 0 && mountNamespace is null ? DetachedMount.Of(path, recursive: true) : NamespaceThread.Run(() =>
        {
            // A thread that shares its root directory with others cannot change its mount namespace: setns(2).
            LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_FS), "unshare(FS)", "leave the shared root directory");
            if (mountNamespace is not null)
            {
                LinuxException.ThrowIfNegative(LibC.setns(mountNamespace, LibC.CLONE_NEWNS), "setns", $"enter the mount namespace that has '{path}'");
            }

            if (mounts.Count > 0)
            {
                // The namespace goes with this thread, and its mounts with it; the copy that is returned stays.
                LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_NEWNS), "unshare", $"make a mount namespace for '{path}'");
                LinuxException.ThrowIfNegative(LibC.mount(null, "/", null, MountFlags.MS_REC | MountFlags.MS_PRIVATE, null), "mount", "make the mounts private");
                foreach (FileSystemMount mount in mounts)
                {
                    Make(mount, path);
                }
            }

            return DetachedMount.Of(path, recursive: true);
        });

    private static void Make(FileSystemMount mount, string path)
    {
        string target = mount.Target.Length == 0 ? path : Path.Combine(path, mount.Target.TrimStart('/'));
        (MountFlags flags, string? data) = MountOptions.Parse(mount.Options);
        if (mount.Type == "bind")
        {
            flags |= MountFlags.MS_BIND;
        }

        if (mount.Type == "overlay" && data is not null)
        {
            (string? directory, data) = OverlayOptions.Shorten(data);
            if (directory is not null)
            {
                LinuxException.ThrowIfNegative(LibC.chdir(directory), "chdir", $"mount at '{target}'"); // this thread's directory alone
            }
        }

        Mounting.At(mount.Source, target, mount.Type, flags, data);
    }
}
