using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

/// <summary><c>struct statx_timestamp</c>, linux/stat.h.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct StatXTimestamp
{
    public long tv_sec;
    public uint tv_nsec;
}

/// <summary>The first fields of <c>struct statx</c>, linux/stat.h; 256 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct StatX
{
    [FieldOffset(0)]
    public uint stx_mask;

    [FieldOffset(16)]
    public uint stx_nlink;

    [FieldOffset(20)]
    public uint stx_uid;

    [FieldOffset(24)]
    public uint stx_gid;

    [FieldOffset(28)]
    public ushort stx_mode;

    [FieldOffset(32)]
    public ulong stx_ino;

    [FieldOffset(40)]
    public ulong stx_size;

    [FieldOffset(112)]
    public StatXTimestamp stx_mtime;

    [FieldOffset(128)]
    public uint stx_rdev_major;

    [FieldOffset(132)]
    public uint stx_rdev_minor;

    [FieldOffset(136)]
    public uint stx_dev_major;

    [FieldOffset(140)]
    public uint stx_dev_minor;

    [FieldOffset(144)]
    public ulong stx_mnt_id;
}
