namespace Kata.Linux.Tests;

public sealed class CgroupFilesTests
{
    private static readonly CgroupLimits s_limits = new()
    {
        CpuShares = 512,
        CpuQuotaUs = 150_000,
        Cpus = "0-1",
        MemoryNodes = "0",
        MemoryBytes = 1 << 30,
        IoWeight = 300,
        Devices =
        [
            new CgroupDeviceLimit(8, 16, CgroupDeviceLimitKind.ReadBytes, 1000),
            new CgroupDeviceLimit(8, 0, CgroupDeviceLimitKind.WriteOperations, 7),
        ],
    };

    [Fact]
    public void Of_Version2_AreItsFiles() => Assert.Equal(
        [
            "cpu.weight=20", "cpu.max=150000 100000", "cpuset.cpus=0-1", "cpuset.mems=0", "memory.max=1073741824", "io.weight=default 2930",
            "io.bfq.weight=300", "io.max=8:16 rbps=1000", "io.max=8:0 wiops=7",
        ],
        Written(s_limits, unified: true));

    [Fact]
    public void Of_Version1_AreItsFiles() => Assert.Equal(
        [
            "cpu.shares=512", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=150000", "cpuset.cpus=0-1", "cpuset.mems=0",
            "memory.limit_in_bytes=1073741824", "blkio.weight=300", "blkio.bfq.weight=300", "blkio.throttle.read_bps_device=8:16 1000",
            "blkio.throttle.write_iops_device=8:0 7",
        ],
        Written(s_limits, unified: false));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_NoLimits_WritesNothing(bool unified) => Assert.Empty(Written(CgroupLimits.None, unified));

    [Theory]
    [InlineData(0ul, "cpu.weight=1")]
    [InlineData(2ul, "cpu.weight=1")]
    [InlineData(1024ul, "cpu.weight=39")]
    [InlineData(262_144ul, "cpu.weight=10000")]
    [InlineData(ulong.MaxValue, "cpu.weight=10000")]
    public void Of_Shares_BecomeAWeight(ulong shares, string expected) =>
        Assert.Equal([expected], Written(new CgroupLimits { CpuShares = shares }, unified: true));

    private static IEnumerable<string> Written(CgroupLimits limits, bool unified) =>
        CgroupFiles.Of(limits, unified).Where(static file => file.Value is not null).Select(static file => $"{file.Name}={file.Value}");
}
