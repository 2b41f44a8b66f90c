using System.Globalization;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// How many descriptors a child may give itself. The hard limit alone is touched, and for a moment: a raised soft one would go to hooks
/// and loggers, of which some close all that there could be, or use select(2).
/// </summary>
internal sealed class OpenFileLimit : IDisposable
{
    private readonly RLimit _before;
    private readonly bool _raised;

    private OpenFileLimit(RLimit before, ulong hard, bool raised) => (_before, Hard, _raised) = (before, hard, raised);

    /// <summary>What a process started before <see cref="Dispose"/> may have.</summary>
    public ulong Hard { get; }

    /// <summary>
    /// Raises this process's hard limit to <paramref name="wanted"/> where the kernel lets it (CAP_SYS_RESOURCE), until disposed.
    /// </summary>
    public static OpenFileLimit RaiseHard(ulong wanted)
    {
        LinuxException.ThrowIfNegative(
            LibC.prlimit(0, LibC.RLIMIT_NOFILE, null, out RLimit limit), "prlimit", "read the limit of open files");
        ulong most = ReadMost();
        RLimit higher = limit with { rlim_max = Math.Min(wanted, most) };
        bool raised = limit.rlim_max < higher.rlim_max && LibC.prlimit(0, LibC.RLIMIT_NOFILE, higher, out _) == 0; // EPERM: the limit stays
        return new OpenFileLimit(limit, Math.Min(raised ? higher.rlim_max : limit.rlim_max, most), raised);
    }

    public void Dispose()
    {
        if (_raised)
        {
            _ = LibC.prlimit(0, LibC.RLIMIT_NOFILE, _before, out _); // lower is always allowed
        }
    }

    // proc(5): no limit may be set above it, not even the one that is there.
    private static ulong ReadMost()
    {
        try
        {
            return ulong.Parse(File.ReadAllText("/proc/sys/fs/nr_open"), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            return 1 << 20; // the kernel's own default
        }
    }
}
