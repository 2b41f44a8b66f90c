using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const int RLIMIT_NOFILE = 7; // asm-generic/resource.h

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getrlimit(int resource, out RLimit limit);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setrlimit(int resource, in RLimit limit);
}

/// <summary><c>struct rlimit</c> of 64-bit systems, sys/resource.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RLimit
{
    public ulong rlim_cur;
    public ulong rlim_max;
}
