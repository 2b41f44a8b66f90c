using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const int RLIMIT_NOFILE = 7; // asm-generic/resource.h
    internal const int RLIMIT_MEMLOCK = 8; // asm-generic/resource.h
    internal const ulong RLIM_INFINITY = ulong.MaxValue;

    /// <summary>Reads, and with <paramref name="limit"/> sets, a limit of a process; 0 is the caller.</summary>
    internal static unsafe int prlimit(int pid, int resource, RLimit? limit, out RLimit before)
    {
        RLimit wanted = limit.GetValueOrDefault();
        fixed (RLimit* old = &before)
        {
            // SAFETY: both structures live until the call returns; null means that nothing is set.
            return prlimit(pid, resource, limit is null ? null : &wanted, old);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int prlimit(int pid, int resource, RLimit* limit, RLimit* before);
}

/// <summary><c>struct rlimit</c> on 64-bit Linux, bits/resource.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RLimit
{
    public ulong rlim_cur;
    public ulong rlim_max;
}
