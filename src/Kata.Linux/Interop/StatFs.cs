using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

/// <summary>The first fields of <c>struct statfs</c>, statfs(2); 120 bytes on 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential, Size = 120)]
internal struct StatFs
{
    public long f_type;
    public long f_bsize;
    public ulong f_blocks;
}
