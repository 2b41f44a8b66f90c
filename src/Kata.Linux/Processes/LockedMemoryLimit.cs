using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// How much memory a process without capabilities may keep from being moved: what devices are to reach has to stay where it is.
/// </summary>
internal sealed class LockedMemoryLimit : IDisposable
{
    private readonly RLimit _before;

    private LockedMemoryLimit(RLimit before) => _before = before;

    /// <summary>Sets this process's limit until disposed, for those that it starts meanwhile.</summary>
    /// <exception cref="LinuxException">EPERM: without CAP_SYS_RESOURCE.</exception>
    public static LockedMemoryLimit SetForChildren(ulong bytes) => new(SetOf(0, bytes));

    /// <summary>Sets that of a process.</summary>
    /// <exception cref="LinuxException">EPERM, or ESRCH: it is gone.</exception>
    public static void Set(int process, ulong bytes) => SetOf(process, bytes);

    public void Dispose() => _ = LibC.prlimit(0, LibC.RLIMIT_MEMLOCK, _before, out _);

    private static RLimit SetOf(int process, ulong bytes)
    {
        LinuxException.ThrowIfNegative(
            LibC.prlimit(process, LibC.RLIMIT_MEMLOCK, new RLimit { rlim_cur = bytes, rlim_max = bytes }, out RLimit before),
            "prlimit", "set the limit of locked memory");
        return before;
    }
}
