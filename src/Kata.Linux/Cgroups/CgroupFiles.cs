using System.Globalization;

namespace Kata.Linux;

/// <summary>Limits as files of either version of control groups (Documentation/admin-guide/cgroup-v1, cgroup-v2.rst). Pure.</summary>
internal static class CgroupFiles
{
    private const ulong SmallestShares = 2;
    private const ulong LargestShares = 262_144;
    private const string Throttle = "blockIO.throttle";

    /// <summary>Every limit, those that are not set too, in the order of writing.</summary>
    public static IReadOnlyList<CgroupFile> Of(CgroupLimits limits, bool unified) => unified ? Unified(limits) : Version1(limits);

    private static List<CgroupFile> Version1(CgroupLimits limits) =>
    [
        new("cpu.shares", "cpu.shares", Text(limits.CpuShares), "1024"),
        new(
            "cpu.quota",
            "cpu.cfs_period_us",
            limits.CpuQuotaUs is null ? null : Text(CgroupLimits.CpuPeriodUs),
            Text(CgroupLimits.CpuPeriodUs)),
        new("cpu.quota", "cpu.cfs_quota_us", Text(limits.CpuQuotaUs), "-1"),
        new("cpu.cpus", "cpuset.cpus", limits.Cpus, null),
        new("cpu.mems", "cpuset.mems", limits.MemoryNodes, null),
        new("memory.limit", "memory.limit_in_bytes", Text(limits.MemoryBytes), "-1"),
        // A kernel has one of the two, by the scheduler that divides the disk.
        new("blockIO.weight", "blkio.weight", Text(limits.IoWeight), "500"),
        new("blockIO.weight", "blkio.bfq.weight", Text(limits.IoWeight), "100"),
        .. limits.Devices.Select(static device => new CgroupFile(
            Throttle,
            device.Kind switch
            {
                CgroupDeviceLimitKind.ReadBytes => "blkio.throttle.read_bps_device",
                CgroupDeviceLimitKind.WriteBytes => "blkio.throttle.write_bps_device",
                CgroupDeviceLimitKind.ReadOperations => "blkio.throttle.read_iops_device",
                _ => "blkio.throttle.write_iops_device",
            },
            $"{Text(device.Major)}:{Text(device.Minor)} {Text(device.PerSecond)}",
            null)),
    ];

    private static List<CgroupFile> Unified(CgroupLimits limits) =>
    [
        new("cpu.shares", "cpu.weight", Text(limits.CpuShares is { } shares ? WeightOf(shares) : (ulong?)null), "100"),
        new("cpu.quota", "cpu.max", limits.CpuQuotaUs is { } quota ? $"{Text(quota)} {Text(CgroupLimits.CpuPeriodUs)}" : null, "max"),
        new("cpu.cpus", "cpuset.cpus", limits.Cpus, "\n"),
        new("cpu.mems", "cpuset.mems", limits.MemoryNodes, "\n"),
        new("memory.limit", "memory.max", Text(limits.MemoryBytes), "max"),
        new("blockIO.weight", "io.weight", limits.IoWeight is { } weight ? $"default {Text(IoWeightOf(weight))}" : null, "default 100"),
        new("blockIO.weight", "io.bfq.weight", Text(limits.IoWeight), "100"),
        .. limits.Devices.Select(static device => new CgroupFile(
            Throttle,
            "io.max",
            $"{Text(device.Major)}:{Text(device.Minor)} {(device.Kind switch
            {
                CgroupDeviceLimitKind.ReadBytes => "rbps",
                CgroupDeviceLimitKind.WriteBytes => "wbps",
                CgroupDeviceLimitKind.ReadOperations => "riops",
                _ => "wiops",
            })}={Text(device.PerSecond)}",
            null)),
    ];

    /// <summary>2 to 262,144 becomes 1 to 10,000 on a straight line, as in every runtime: one document means the same everywhere.</summary>
    private static ulong WeightOf(ulong shares) =>
        1 + (((Math.Clamp(shares, SmallestShares, LargestShares) - SmallestShares) * 9999) / (LargestShares - SmallestShares));

    /// <summary>10 to 1,000 becomes 1 to 10,000 in the same way.</summary>
    private static int IoWeightOf(ushort weight) => 1 + ((Math.Clamp((int)weight, 10, 1000) - 10) * 9999 / 990);

    private static string Text<T>(T value)
        where T : struct, IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static string? Text<T>(T? value)
        where T : struct, IFormattable => value?.ToString(null, CultureInfo.InvariantCulture);
}
