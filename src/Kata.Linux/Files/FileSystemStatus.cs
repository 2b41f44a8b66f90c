using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// What file system a path lies on (statfs(2)), in the calling thread's mount namespace: <see cref="DriveInfo"/> asks the process's table
/// of mounts, which is that of the main thread.
/// </summary>
internal static class FileSystemStatus
{
    private const long Tmpfs = 0x01021994; // TMPFS_MAGIC, linux/magic.h

    /// <summary>The size of the tmpfs that a path lies on, in bytes; null on another file system, or when there is no such path.</summary>
    public static long? TmpfsSize(string path) =>
        LibC.statfs(path, out StatFs status) == 0 && status.f_type == Tmpfs ? (long)status.f_blocks * status.f_bsize : null;
}
