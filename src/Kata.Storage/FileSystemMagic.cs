using System.Buffers.Binary;
using Kata.Linux;

namespace Kata.Storage;

/// <summary>
/// Tells file systems by their magic numbers. The bytes are whatever somebody wrote to the disk: they are compared, and nothing else.
/// </summary>
internal static class FileSystemMagic
{
    /// <summary>What of a disk is looked at: the superblocks of all that are known begin in here.</summary>
    public const int HeadBytes = 2048;

    /// <summary>The file system on a disk, as mount(8) calls it; null when it is none of those that are known.</summary>
    /// <exception cref="LinuxException">The disk cannot be read.</exception>
    public static string? Find(SafeFileDescriptor disk)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        return Find(head[..DescriptorReader.ReadAt(disk, head, 0, "read the beginning of a disk")]);
    }

    /// <summary>The same of the first bytes of a disk, <see cref="HeadBytes"/> or all that there are.</summary>
    internal static string? Find(ReadOnlySpan<byte> head) =>
        head.StartsWith("XFSB"u8) ? "xfs" // XFS_SB_MAGIC, fs/xfs/libxfs/xfs_format.h
        : head.StartsWith("hsqs"u8) ? "squashfs" // SQUASHFS_MAGIC, linux/magic.h
        : head.Length >= 1028 && BinaryPrimitives.ReadUInt32LittleEndian(head[1024..]) == 0xE0F5E1E2 ? "erofs"
        : head.Length >= 1082 && BinaryPrimitives.ReadUInt16LittleEndian(head[1080..]) == 0xEF53 ? "ext4" // and ext2, ext3
        : null;
}
