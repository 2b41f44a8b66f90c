using System.Globalization;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>The limits of a process, which its children have too unless something else is asked for them.</summary>
internal static class ResourceLimits
{
    public const string OpenFiles = "RLIMIT_NOFILE";

    // Positions are the kernel's numbers: asm-generic/resource.h.
    private static readonly string[] s_types =
    [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC", OpenFiles,
        "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO",
        "RLIMIT_RTTIME",
    ];

    /// <summary>Every limit of the calling process.</summary>
    public static IReadOnlyList<ResourceLimit> Read() => [.. s_types.Select(static (type, number) =>
    {
        LinuxException.ThrowIfNegative(LibC.prlimit(0, number, null, out RLimit limit), "prlimit", $"read the limit {type}");
        return new ResourceLimit(type, limit.rlim_cur, limit.rlim_max);
    })];

    /// <summary>Raises the hard limit of the calling process, so that its children can have as much; not of an unknown type.</summary>
    /// <exception cref="LinuxException">The kernel refuses; EPERM without CAP_SYS_RESOURCE.</exception>
    public static void RaiseHard(string type, ulong hard)
    {
        int number = Array.IndexOf(s_types, type);
        if (number < 0)
        {
            return;
        }

        LinuxException.ThrowIfNegative(LibC.prlimit(0, number, null, out RLimit limit), "prlimit", $"read the limit {type}");
        if (limit.rlim_max < hard)
        {
            limit.rlim_max = hard;
            LinuxException.ThrowIfNegative(LibC.prlimit(0, number, limit, out _), "prlimit", $"raise the limit {type} to {hard}");
        }
    }

    /// <summary>As one line, for whoever starts processes on behalf of another one.</summary>
    public static string Format(IEnumerable<ResourceLimit> limits) =>
        string.Join(' ', limits.Select(static limit =>
            string.Create(CultureInfo.InvariantCulture, $"{limit.Type}={limit.Soft}:{limit.Hard}")));

    /// <summary>Reads what <see cref="Format"/> wrote.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static IReadOnlyList<ResourceLimit> Parse(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static item =>
            item.Split('=', ':') is [string type, string first, string second] && s_types.Contains(type)
            && ulong.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out ulong soft)
            && ulong.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out ulong hard)
                ? new ResourceLimit(type, soft, hard)
                : throw new FormatException($"Cannot read the limit '{item}': it is not of the form TYPE=SOFT:HARD"))];
}
