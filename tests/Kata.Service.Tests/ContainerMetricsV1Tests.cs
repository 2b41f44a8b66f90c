using Kata.Agent.Protocol;
using Kata.Containerd.Protocol.CgroupsV1;
using Metrics = Kata.Containerd.Protocol.CgroupsV1.Metrics;

namespace Kata.Service.Tests;

public sealed class ContainerMetricsV1Tests
{
    [Fact]
    public void Build_EmptyAnswer_IsZerosWithoutALimit()
    {
        Metrics metrics = Build(new StatsContainerResponse());
        Assert.Equal(new MemoryEntry { Limit = ContainerMetricsV1.Unlimited }, metrics.Memory.Usage);
        Assert.Equal(new CPUUsage(), metrics.Cpu.Usage);
        Assert.Empty(metrics.Blkio.IoServiceBytesRecursive);
    }

    [Fact]
    public void Build_Interfaces_AreBoundedAndPrintable()
    {
        var response = new StatsContainerResponse();
        response.NetworkStats.Add(new NetworkStats
        {
            Name = "eth0",
            RxBytes = 1,
            RxPackets = 2,
            RxErrors = 3,
            RxDropped = 4,
            TxBytes = 5,
            TxPackets = 6,
            TxErrors = 7,
            TxDropped = 8,
        });
        response.NetworkStats.AddRange(Enumerable.Repeat(new NetworkStats { Name = "a\u001b[2J" }, 1000));

        Metrics metrics = Build(response);

        Assert.Equal(
            new NetworkStat
            {
                Name = "eth0",
                RxBytes = 1,
                RxPackets = 2,
                RxErrors = 3,
                RxDropped = 4,
                TxBytes = 5,
                TxPackets = 6,
                TxErrors = 7,
                TxDropped = 8,
            },
            metrics.Network[0]);
        Assert.Equal(ContainerMetrics.DeviceLimit, metrics.Network.Count);
        Assert.DoesNotContain('\u001b', metrics.Network[1].Name);
    }

    [Fact]
    public void Build_Figures_AreWhereClientsOfVersion1Look()
    {
        var stats = new CgroupStats
        {
            CpuStats = new CpuStats
            {
                CpuUsage = new CpuUsage { TotalUsage = 5_000_000, UsageInUsermode = 3_000_000, UsageInKernelmode = 2_000_000 },
                ThrottlingData = new ThrottlingData { Periods = 7, ThrottledPeriods = 6, ThrottledTime = 9_000 },
            },
            MemoryStats = new MemoryStats
            {
                Usage = new MemoryData { Usage = 100, MaxUsage = 110, Limit = 4096, Failcnt = 13 },
                SwapUsage = new MemoryData { Usage = 14, Limit = 1000 },
                KernelUsage = new MemoryData { Usage = 8 },
            },
            PidsStats = new PidsStats { Current = 3, Limit = 20 },
            BlkioStats = new BlkioStats(),
        };
        (string Name, ulong Value)[] figures =
        [
            ("anon", 1), ("file", 2), ("inactive_file", 3), ("pgfault", 4), ("events.oom_kill", 5), ("sock", 6), ("anon_thp", 7),
        ];
        foreach ((string name, ulong value) in figures)
        {
            stats.MemoryStats.Stats[name] = value;
        }

        stats.BlkioStats.IoServiceBytesRecursive.Add(new BlkioStatsEntry { Major = 8, Minor = 1, Op = "Read", Value = 100 });
        stats.BlkioStats.IoServiceBytesRecursive.Add(new BlkioStatsEntry { Major = 8, Minor = 1, Op = "<script>", Value = 1 });
        stats.BlkioStats.IoServicedRecursive.Add(new BlkioStatsEntry { Major = 8, Minor = 1, Op = "Write", Value = 200 });

        Metrics metrics = Build(new StatsContainerResponse { CgroupStats = stats });

        Assert.Equal(new CPUUsage { Total = 5_000_000, User = 3_000_000, Kernel = 2_000_000 }, metrics.Cpu.Usage);
        Assert.Equal(new Throttle { Periods = 7, ThrottledPeriods = 6, ThrottledTime = 9_000 }, metrics.Cpu.Throttling);
        Assert.Equal(new PidsStat { Current = 3, Limit = 20 }, metrics.Pids);
        Assert.Equal(new MemoryEntry { Usage = 100, Max = 110, Limit = 4096, Failcnt = 13 }, metrics.Memory.Usage);
        Assert.Equal(new MemoryEntry { Usage = 114, Max = 110, Limit = 5096 }, metrics.Memory.Swap);
        Assert.Equal((8ul, 6ul), (metrics.Memory.Kernel.Usage, metrics.Memory.KernelTcp.Usage));
        Assert.Equal((4096ul, 5096ul), (metrics.Memory.HierarchicalMemoryLimit, metrics.Memory.HierarchicalSwapLimit));
        MemoryStat memory = metrics.Memory;
        Assert.Equal(
            (1ul, 2ul, 3ul, 4ul, 7ul), (memory.Rss, memory.Cache, memory.InactiveFile, memory.PgFault, memory.RssHuge));
        Assert.Equal(
            (1ul, 2ul, 3ul, 4ul, 7ul),
            (memory.TotalRss, memory.TotalCache, memory.TotalInactiveFile, memory.TotalPgFault, memory.TotalRssHuge));
        Assert.Equal(5ul, metrics.MemoryOomControl.OomKill);
        Assert.Equal(
            new BlkIOEntry { Op = "Read", Major = 8, Minor = 1, Value = 100 }, Assert.Single(metrics.Blkio.IoServiceBytesRecursive));
        Assert.Equal(new BlkIOEntry { Op = "Write", Major = 8, Minor = 1, Value = 200 }, Assert.Single(metrics.Blkio.IoServicedRecursive));
    }

    [Theory]
    [InlineData(ulong.MaxValue, 0)]
    [InlineData(4096, ulong.MaxValue)]
    [InlineData(0, 0)]
    public void Build_NoLimit_IsTheKernelsWordForIt(ulong memory, ulong swap)
    {
        var stats = new CgroupStats
        {
            MemoryStats = new MemoryStats
            {
                Usage = new MemoryData { Limit = memory, Usage = ulong.MaxValue },
                SwapUsage = new MemoryData { Limit = swap },
            },
        };
        MemoryStat result = Build(new StatsContainerResponse { CgroupStats = stats }).Memory;
        Assert.Equal(memory == 4096 ? 4096 : ContainerMetricsV1.Unlimited, result.Usage.Limit);
        Assert.Equal((ContainerMetricsV1.Unlimited, ContainerMetricsV1.Unlimited), (result.Swap.Limit, result.Swap.Usage));
    }

    [Fact]
    public void Build_GuestWithCountlessDevices_IsBounded()
    {
        var stats = new CgroupStats { BlkioStats = new BlkioStats() };
        for (ulong i = 0; i < 10_000; i++)
        {
            stats.BlkioStats.IoServicedRecursive.Add(new BlkioStatsEntry { Major = i, Op = "Read", Value = 1 });
        }

        Assert.InRange(Build(new StatsContainerResponse { CgroupStats = stats }).Blkio.IoServicedRecursive.Count, 1, 1000);
    }

    /// <summary>The numbers are the contract with containerd's clients.</summary>
    [Fact]
    public void Metrics_FieldNumbers_AreContainerds()
    {
        Assert.Equal("pids=2 cpu=3 memory=4 blkio=5 network=7 memory_oom_control=9", Numbers(Metrics.Descriptor));
        Assert.Equal("usage=1 throttling=2", Numbers(CPUStat.Descriptor));
        Assert.Equal("total=1 kernel=2 user=3", Numbers(CPUUsage.Descriptor));
        Assert.Equal("limit=1 usage=2 max=3 failcnt=4", Numbers(MemoryEntry.Descriptor));
        Assert.Equal("op=1 major=3 minor=4 value=5", Numbers(BlkIOEntry.Descriptor));
        Assert.Equal("oom_kill=3", Numbers(MemoryOomControl.Descriptor));
        Assert.Equal(
            [.. Enumerable.Range(1, 36).Except([7, 8, 24, 25])],
            MemoryStat.Descriptor.Fields.InFieldNumberOrder().Select(static field => field.FieldNumber));
        Assert.Equal(ContainerMetricsV1.TypeUrl, Metrics.Descriptor.FullName);
    }

    private static Metrics Build(StatsContainerResponse response)
    {
        Google.Protobuf.ByteString bytes = ContainerMetricsV1.Build(response);
        var metrics = Metrics.Parser.ParseFrom(bytes);
        Assert.Equal(metrics.CalculateSize(), bytes.Length); // no field that the definition does not have, and no 0
        return metrics;
    }

    private static string Numbers(Google.Protobuf.Reflection.MessageDescriptor message) =>
        string.Join(' ', message.Fields.InFieldNumberOrder().Select(static field => $"{field.Name}={field.FieldNumber}"));
}
