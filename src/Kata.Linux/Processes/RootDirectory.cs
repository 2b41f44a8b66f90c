using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>The root directory of a mount namespace of one's own.</summary>
internal static class RootDirectory
{
    /// <summary>
    /// Makes the mount point <paramref name="path"/> the root, and drops the old one from the calling thread's mount namespace: unlike
    /// chroot(2) this leaves nothing to go back to.
    /// </summary>
    /// <exception cref="LinuxException">The kernel refused a step: the thread is of no use any more.</exception>
    public static void Enter(string path)
    {
        LinuxException.ThrowIfNegative(LibC.chdir(path), "chdir", $"enter '{path}'");
        // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, and is then unmounted.
        LinuxException.ThrowIfNegative(LibC.pivot_root(".", "."), "pivot_root", $"make '{path}' the root");
        LinuxException.ThrowIfNegative(LibC.umount2(".", LibC.MNT_DETACH), "umount2", "drop the host's root");
        LinuxException.ThrowIfNegative(LibC.chdir("/"), "chdir", "enter the new root");
    }
}
