using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const ulong LOOP_CONFIGURE = 0x4C0A;
    internal const ulong LOOP_CTL_GET_FREE = 0x4C82;
    internal const uint LO_FLAGS_READ_ONLY = 1;
    internal const uint LO_FLAGS_AUTOCLEAR = 4;
}

/// <summary><c>struct loop_info64</c>, linux/loop.h; 232 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 232)]
internal struct LoopInfo64
{
    [FieldOffset(52)]
    public uint lo_flags;
}

/// <summary><c>struct loop_config</c>, linux/loop.h; 304 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 304)]
internal struct LoopConfig
{
    [FieldOffset(0)]
    public uint fd;

    [FieldOffset(8)]
    public LoopInfo64 info;
}
