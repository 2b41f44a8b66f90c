namespace Kata.Linux.Tests;

public sealed class CgroupBoundsTests : IDisposable
{
    private readonly DirectoryInfo _mount = Directory.CreateTempSubdirectory("kata-");

    public void Dispose() => _mount.Delete(recursive: true);

    [Theory]
    [InlineData("50000 100000", "134217728", 0.5, 134217728L)]
    [InlineData("max 100000", "max", null, null)]
    [InlineData("-1 100000", "9223372036854771712", null, null)]
    [InlineData("", "", null, null)]
    [InlineData("x y", "-1", null, null)]
    [InlineData("200000 50000", "0", 4.0, 0L)]
    public void Parse_Table(string cpu, string memory, double? processors, long? bytes) =>
        Assert.Equal(new CgroupBounds(processors, bytes), CgroupBounds.Parse(cpu, memory));

    /// <summary>A kubelet's hierarchy: the pod's group has the limits, the engine's below it none yet, and those above others.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Above_NestedGroups_TheLeastOfEachCounts(bool unified)
    {
        Limit("", unified, "max", 4L << 30);
        Limit("kubepods", unified, "400000", 1L << 30);
        Limit("kubepods/pod1", unified, "50000", 2L << 30);
        var hierarchy = new CgroupHierarchy(_mount.FullName, unified, ["cpu", "memory"], _mount.FullName);

        Assert.Equal(
            new CgroupBounds(0.5, 1L << 30), CgroupBounds.Above(hierarchy, Path.Combine(_mount.FullName, "kubepods/pod1/c1/kata_c1")));
        Assert.Equal(new CgroupBounds(4, 1L << 30), CgroupBounds.Read(new CgroupLayout([hierarchy]), "/kubepods/pod2/c2/kata_c2"));
        Assert.Equal(new CgroupBounds(null, 4L << 30), CgroupBounds.Read(new CgroupLayout([hierarchy]), "/kata/c3"));
    }

    [Theory]
    [InlineData(0.5, null, null, 1000L)]
    [InlineData(1.5, 1000L, null, null)] // the same is left to the group above too: there it may change
    [InlineData(1.6, 2000L, 150_000L, 1000L)]
    [InlineData(null, null, 150_000L, 1000L)]
    public void Within_Table(double? processors, long? memory, long? quota, long? bytes)
    {
        CgroupLimits limits = new CgroupBounds(processors, memory)
            .Within(new CgroupLimits { CpuQuotaUs = 150_000, MemoryBytes = 1000, CpuShares = 5 });

        Assert.Equal((quota, bytes, 5ul), (limits.CpuQuotaUs, limits.MemoryBytes, limits.CpuShares));
    }

    private void Limit(string group, bool unified, string quota, long memory)
    {
        string directory = Directory.CreateDirectory(Path.Combine(_mount.FullName, group)).FullName;
        if (unified)
        {
            File.WriteAllText(Path.Combine(directory, "cpu.max"), $"{quota} 100000\n");
            File.WriteAllText(Path.Combine(directory, "memory.max"), $"{memory}\n");
        }
        else
        {
            File.WriteAllText(Path.Combine(directory, "cpu.cfs_quota_us"), $"{(quota == "max" ? "-1" : quota)}\n");
            File.WriteAllText(Path.Combine(directory, "cpu.cfs_period_us"), "100000\n");
            File.WriteAllText(Path.Combine(directory, "memory.limit_in_bytes"), $"{memory}\n");
        }
    }
}
