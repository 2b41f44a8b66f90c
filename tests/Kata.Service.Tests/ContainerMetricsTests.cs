using Google.Protobuf.WellKnownTypes;
using Kata.Agent.Protocol;
using Kata.Containerd.Protocol.Cgroups;
using Kata.Linux;
using Metrics = Kata.Containerd.Protocol.Cgroups.Metrics;

namespace Kata.Service.Tests;

public sealed class ContainerMetricsTests
{
    [Fact]
    public void Build_EmptyAnswer_IsZeros() => Assert.Equal(0ul, ContainerMetrics.Build(new StatsContainerResponse()).Memory.Usage);

    [Fact]
    public void Build_Figures_AreInContainerdsUnits()
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
                Usage = new MemoryData { Usage = 10, MaxUsage = 11, Limit = 12, Failcnt = 13 },
                SwapUsage = new MemoryData { Usage = 14, Limit = 15 },
            },
            PidsStats = new PidsStats { Current = 3, Limit = 0 },
        };
        stats.MemoryStats.Stats["anon"] = 1;
        stats.MemoryStats.Stats["thp_collapse_alloc"] = 2;
        stats.MemoryStats.Stats["workingset_refault_anon"] = 3;
        stats.MemoryStats.Stats["workingset_refault_file"] = 4;
        stats.MemoryStats.Stats["events.oom_kill"] = 5;
        stats.BlkioStats = new BlkioStats();
        stats.BlkioStats.IoServiceBytesRecursive.Add(new BlkioStatsEntry { Major = 8, Op = "Read", Value = 100 });
        stats.BlkioStats.IoServiceBytesRecursive.Add(new BlkioStatsEntry { Major = 8, Op = "Discard", Value = 1 });
        stats.BlkioStats.IoServicedRecursive.Add(new BlkioStatsEntry { Major = 8, Op = "Write", Value = 200 });

        Metrics metrics = ContainerMetrics.Build(new StatsContainerResponse { CgroupStats = stats });

        Assert.Equal(
            new CPUStat { UsageUsec = 5000, UserUsec = 3000, SystemUsec = 2000, NrPeriods = 7, NrThrottled = 6, ThrottledUsec = 9 },
            metrics.Cpu);
        Assert.Equal(
            new Containerd.Protocol.Cgroups.MemoryStat
            {
                Anon = 1,
                ThpCollapseAlloc = 2,
                WorkingsetRefault = 7,
                Usage = 10,
                MaxUsage = 11,
                UsageLimit = 12,
                SwapUsage = 14,
                SwapLimit = 15,
            },
            metrics.Memory);
        Assert.Equal(new MemoryEvents { Max = 13, OomKill = 5 }, metrics.MemoryEvents);
        Assert.Equal(new IOEntry { Major = 8, Rbytes = 100, Wios = 200 }, Assert.Single(metrics.Io.Usage));
    }

    [Fact]
    public void Build_GuestWithCountlessDevices_IsBounded()
    {
        var stats = new CgroupStats { BlkioStats = new BlkioStats() };
        for (ulong i = 0; i < 10_000; i++)
        {
            stats.BlkioStats.IoServicedRecursive.Add(new BlkioStatsEntry { Major = i, Op = "Read", Value = 1 });
        }

        Assert.InRange(ContainerMetrics.Build(new StatsContainerResponse { CgroupStats = stats }).Io.Usage.Count, 1, 1000);
    }

    [Fact]
    public void Build_GuestWithCountlessPageSizes_IsBoundedAndEscaped()
    {
        var stats = new CgroupStats();
        for (int i = 0; i < 10_000; i++)
        {
            stats.HugetlbStats[$"{i}\x1b[2J\n"] = new HugetlbStats { Usage = 1 };
        }

        Metrics metrics = ContainerMetrics.Build(new StatsContainerResponse { CgroupStats = stats });

        Assert.InRange(metrics.Hugetlb.Count, 1, ContainerMetrics.NameLimit);
        Assert.All(metrics.Hugetlb, static item => Assert.EndsWith("\\x1b[2J\\x0a", item.Pagesize, StringComparison.Ordinal));
    }

    /// <summary>The numbers are the contract with containerd's clients.</summary>
    [Fact]
    public void Metrics_FieldNumbers_AreContainerds()
    {
        Assert.Equal(
            "pids=1 cpu=2 memory=4 rdma=5 io=6 hugetlb=7 memory_events=8",
            string.Join(' ', Metrics.Descriptor.Fields.InFieldNumberOrder().Select(static field => $"{field.Name}={field.FieldNumber}")));
        Assert.Equal(ContainerMetrics.TypeUrl, Metrics.Descriptor.FullName);
        Assert.Equal(
            [.. Enumerable.Range(1, 37)],
            Containerd.Protocol.Cgroups.MemoryStat.Descriptor.Fields.InFieldNumberOrder().Select(static field => field.FieldNumber));
    }

    [Fact]
    public void Pack_WhatTheHostCounted_HasContainerdsUnits()
    {
        Any packed = ContainerMetrics.Pack(new CgroupUsage(ProcessorNs: 5_000_000, MemoryBytes: 1 << 20, Tasks: 9), unifiedHost: true);

        Metrics metrics = Metrics.Parser.ParseFrom(packed.Value);
        Assert.Equal((5_000ul, 1ul << 20, 9ul), (metrics.Cpu.UsageUsec, metrics.Memory.Usage, metrics.Pids.Current));
    }
}
