using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>What an open descriptor is (statx(2)); asked of the descriptor, so no path can be swapped in between.</summary>
internal readonly record struct FileStatus(uint Mode, uint UserId, uint GroupId, ulong Size, ulong Inode, ulong MountId)
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>The file system's number, <c>MAJOR:MINOR</c> in one. With <see cref="Inode"/> it says which file it is.</summary>
    public ulong Device { get; init; }

    /// <summary>Which device a node is for; zeros of anything else.</summary>
    public (uint Major, uint Minor) DeviceNumber { get; init; }

    /// <summary>When its content was last changed, in nanoseconds since 1970.</summary>
    public long Modified { get; init; }

    /// <summary>Names the file has; 0 once it was removed while open.</summary>
    public uint LinkCount { get; init; }

    public bool IsRegularFile => (Mode & LibC.S_IFMT) == LibC.S_IFREG;

    public bool IsDirectory => (Mode & LibC.S_IFMT) == LibC.S_IFDIR;

    public bool IsSocket => (Mode & LibC.S_IFMT) == LibC.S_IFSOCK;

    public bool IsCharacterDevice => (Mode & LibC.S_IFMT) == LibC.S_IFCHR;

    public bool IsBlockDevice => (Mode & LibC.S_IFMT) == LibC.S_IFBLK;

    public static unsafe FileStatus Of(SafeFileDescriptor descriptor)
    {
        StatX status;
        // SAFETY: statx fills at most 256 bytes, the size of the local.
        LinuxException.ThrowIfNegative(
            LibC.statx_at(descriptor, "", LibC.AT_EMPTY_PATH, LibC.STATX_BASIC_STATS | LibC.STATX_MNT_ID, &status),
            "statx",
            "examine a descriptor");
        return new FileStatus(status.stx_mode, status.stx_uid, status.stx_gid, status.stx_size, status.stx_ino, status.stx_mnt_id)
        {
            LinkCount = status.stx_nlink,
            Modified = (status.stx_mtime.tv_sec * NanosecondsPerSecond) + status.stx_mtime.tv_nsec,
            DeviceNumber = (status.stx_rdev_major, status.stx_rdev_minor),
            Device = ((ulong)status.stx_dev_major << 32) | status.stx_dev_minor,
        };
    }

    /// <summary>Whether both are the same file.</summary>
    public bool IsSameFile(FileStatus other) => Device == other.Device && Inode == other.Inode;

    /// <summary>Whether a path leads to a fifo. False when there is nothing.</summary>
    public static bool IsFifo(string path)
    {
        using SafeFileDescriptor file = LibC.open(path, LibC.O_PATH | LibC.O_CLOEXEC, 0);
        return !file.IsInvalid && (Of(file).Mode & LibC.S_IFMT) == LibC.S_IFIFO;
    }
}
