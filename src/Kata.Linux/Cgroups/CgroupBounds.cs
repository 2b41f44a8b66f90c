using System.Globalization;

namespace Kata.Linux;

/// <summary>
/// What the groups above a control group allow it at most. With version 1 the kernel refuses a group more processor time than those above
/// it have (EINVAL); everywhere else it lets the number stand, which then says nothing.
/// </summary>
/// <param name="Processors">As many processors' time; null where no group limits it.</param>
/// <param name="MemoryBytes">Null where no group limits it.</param>
internal readonly record struct CgroupBounds(double? Processors, long? MemoryBytes)
{
    /// <summary>Above this a number of version 1 means none: it prints the largest that its counter holds.</summary>
    private const long NoMemoryLimit = 1L << 62;

    /// <summary>Those of the group <paramref name="path"/>, which need not exist, in every hierarchy.</summary>
    /// <exception cref="ArgumentException">The path has <c>..</c> or names no group.</exception>
    public static CgroupBounds Read(CgroupLayout layout, string path) => layout.Hierarchies
        .Select(hierarchy => Above(hierarchy, HostCgroup.Combine(hierarchy.MountPoint, path)))
        .Aggregate(default(CgroupBounds), static (one, other) => one.And(other));

    /// <summary>Those of one directory, in its hierarchy.</summary>
    public static CgroupBounds Above(CgroupHierarchy hierarchy, string directory)
    {
        var bounds = default(CgroupBounds);
        while (directory.StartsWith(hierarchy.MountPoint + "/", StringComparison.Ordinal))
        {
            directory = Path.GetDirectoryName(directory)!;
            bounds = bounds.And(hierarchy.IsUnified
                ? Parse(Text(directory, "cpu.max"), Text(directory, "memory.max"))
                : Parse(
                    $"{Text(directory, "cpu.cfs_quota_us")} {Text(directory, "cpu.cfs_period_us")}",
                    Text(directory, "memory.limit_in_bytes")));
        }

        return bounds;
    }

    /// <summary>The limits of a group without those that the groups above make anyway: what is left open, they limit.</summary>
    public CgroupLimits Within(CgroupLimits limits) => limits with
    {
        CpuQuotaUs = limits.CpuQuotaUs >= Processors * CgroupLimits.CpuPeriodUs ? null : limits.CpuQuotaUs,
        MemoryBytes = limits.MemoryBytes >= MemoryBytes ? null : limits.MemoryBytes,
    };

    /// <param name="cpu">Quota and period, as version 2 writes them; anything else is no limit.</param>
    /// <param name="memory">Bytes; anything else is no limit.</param>
    internal static CgroupBounds Parse(string cpu, string memory) => new(
        cpu.Split(' ') is [string first, string second] && Number(first) is > 0 and var quota && Number(second) is > 0 and var period
            ? (double)quota / period
            : null,
        Number(memory) is >= 0 and < NoMemoryLimit and var bytes ? bytes : null);

    private CgroupBounds And(CgroupBounds other) => new(Least(Processors, other.Processors), Least(MemoryBytes, other.MemoryBytes));

    private static T? Least<T>(T? one, T? other)
        where T : struct, IComparable<T> => one is { } a && other is { } b ? (a.CompareTo(b) < 0 ? a : b) : one ?? other;

    private static long? Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : null;

    private static string Text(string directory, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, file)).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ""; // the topmost group has none, and one that does not exist yet neither
        }
    }
}
