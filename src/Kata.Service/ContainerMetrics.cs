using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Kata.Agent.Protocol;
using Kata.Containerd.Protocol.Cgroups;
using Kata.Linux;
using Kata.Sandbox;
using MemoryStat = Kata.Containerd.Protocol.Cgroups.MemoryStat;
using Metrics = Kata.Containerd.Protocol.Cgroups.Metrics;

namespace Kata.Service;

/// <summary>
/// Turns the agent's statistics, which have cgroup v1's shape, into containerd's for cgroup v2, which is what the guest has.
/// </summary>
internal static class ContainerMetrics
{
    /// <summary>The type's name in an Any, as containerd's clients look it up.</summary>
    public const string TypeUrl = "io.containerd.cgroups.v2.Metrics";

    /// <summary>A guest can name as many block devices as it likes.</summary>
    public const int DeviceLimit = 256;

    /// <summary>Page sizes, and other things of which a machine has few; a guest can name as many of them too.</summary>
    public const int NameLimit = 32;

    /// <summary>The version that the host has: containerd's own collector understands no other one there.</summary>
    public static Any Pack(StatsContainerResponse response, bool unifiedHost) => unifiedHost
        ? new Any { TypeUrl = TypeUrl, Value = Build(response).ToByteString() }
        : new Any { TypeUrl = ContainerMetricsV1.TypeUrl, Value = ContainerMetricsV1.Build(response) };

    /// <inheritdoc cref="Pack(StatsContainerResponse, bool)"/>
    public static Any Pack(CgroupUsage usage, bool unifiedHost) => Pack(
        new StatsContainerResponse
        {
            CgroupStats = new CgroupStats
            {
                CpuStats = new CpuStats { CpuUsage = new CpuUsage { TotalUsage = usage.ProcessorNs } },
                MemoryStats = new MemoryStats { Usage = new MemoryData { Usage = usage.MemoryBytes } },
                PidsStats = new PidsStats { Current = usage.Tasks },
            },
        },
        unifiedHost);

    public static Metrics Build(StatsContainerResponse response)
    {
        CgroupStats stats = response.CgroupStats ?? new CgroupStats();
        MapField<string, ulong> raw = stats.MemoryStats?.Stats ?? [];
        var metrics = new Metrics
        {
            Pids = new PidsStat { Current = stats.PidsStats?.Current ?? 0, Limit = stats.PidsStats?.Limit ?? 0 },
            Cpu = new CPUStat
            {
                UsageUsec = (stats.CpuStats?.CpuUsage?.TotalUsage ?? 0) / 1000,
                UserUsec = (stats.CpuStats?.CpuUsage?.UsageInUsermode ?? 0) / 1000,
                SystemUsec = (stats.CpuStats?.CpuUsage?.UsageInKernelmode ?? 0) / 1000,
                NrPeriods = stats.CpuStats?.ThrottlingData?.Periods ?? 0,
                NrThrottled = stats.CpuStats?.ThrottlingData?.ThrottledPeriods ?? 0,
                ThrottledUsec = (stats.CpuStats?.ThrottlingData?.ThrottledTime ?? 0) / 1000,
            },
            Memory = Memory(stats.MemoryStats ?? new MemoryStats(), name => raw.TryGetValue(name, out ulong value) ? value : 0),
            MemoryEvents = new MemoryEvents
            {
                Low = Event("low"),
                High = Event("high"),
                Max = raw.ContainsKey(ContainerResources.EventPrefix + "max") ? Event("max") : stats.MemoryStats?.Usage?.Failcnt ?? 0,
                Oom = Event("oom"),
                OomKill = Event("oom_kill"),
            },
            Io = Io(stats.BlkioStats ?? new BlkioStats()),
        };
        foreach ((string size, HugetlbStats pages) in stats.HugetlbStats.Take(NameLimit))
        {
            metrics.Hugetlb.Add(new HugeTlbStat { Pagesize = GuestText.Escape(size), Current = pages.Usage, Max = pages.MaxUsage });
        }

        return metrics;

        ulong Event(string name) => raw.TryGetValue(ContainerResources.EventPrefix + name, out ulong count) ? count : 0;
    }

    private static MemoryStat Memory(MemoryStats stats, Func<string, ulong> of) => new()
    {
        Anon = of("anon"),
        File = of("file"),
        KernelStack = of("kernel_stack"),
        Slab = of("slab"),
        Sock = of("sock"),
        Shmem = of("shmem"),
        FileMapped = of("file_mapped"),
        FileDirty = of("file_dirty"),
        FileWriteback = of("file_writeback"),
        AnonThp = of("anon_thp"),
        InactiveAnon = of("inactive_anon"),
        ActiveAnon = of("active_anon"),
        InactiveFile = of("inactive_file"),
        ActiveFile = of("active_file"),
        Unevictable = of("unevictable"),
        SlabReclaimable = of("slab_reclaimable"),
        SlabUnreclaimable = of("slab_unreclaimable"),
        Pgfault = of("pgfault"),
        Pgmajfault = of("pgmajfault"),
        // The kernel has counted these two by kind since 5.9.
        WorkingsetRefault = of("workingset_refault") + of("workingset_refault_anon") + of("workingset_refault_file"),
        WorkingsetActivate = of("workingset_activate") + of("workingset_activate_anon") + of("workingset_activate_file"),
        WorkingsetNodereclaim = of("workingset_nodereclaim"),
        Pgrefill = of("pgrefill"),
        Pgscan = of("pgscan"),
        Pgsteal = of("pgsteal"),
        Pgactivate = of("pgactivate"),
        Pgdeactivate = of("pgdeactivate"),
        Pglazyfree = of("pglazyfree"),
        Pglazyfreed = of("pglazyfreed"),
        ThpFaultAlloc = of("thp_fault_alloc"),
        ThpCollapseAlloc = of("thp_collapse_alloc"),
        Usage = stats.Usage?.Usage ?? 0,
        UsageLimit = stats.Usage?.Limit ?? 0,
        MaxUsage = stats.Usage?.MaxUsage ?? 0,
        SwapUsage = stats.SwapUsage?.Usage ?? 0,
        SwapLimit = stats.SwapUsage?.Limit ?? 0,
        SwapMaxUsage = stats.SwapUsage?.MaxUsage ?? 0,
    };

    private static IOStat Io(BlkioStats stats)
    {
        var devices = new Dictionary<(ulong Major, ulong Minor), IOEntry>();
        foreach (BlkioStatsEntry entry in stats.IoServiceBytesRecursive)
        {
            IOEntry? device = DeviceOf(entry);
            if (device is not null && entry.Op == "Read")
            {
                device.Rbytes = entry.Value;
            }
            else if (device is not null && entry.Op == "Write")
            {
                device.Wbytes = entry.Value;
            }
        }

        foreach (BlkioStatsEntry entry in stats.IoServicedRecursive)
        {
            IOEntry? device = DeviceOf(entry);
            if (device is not null && entry.Op == "Read")
            {
                device.Rios = entry.Value;
            }
            else if (device is not null && entry.Op == "Write")
            {
                device.Wios = entry.Value;
            }
        }

        var result = new IOStat();
        result.Usage.AddRange(devices.Values.OrderBy(static device => (device.Major, device.Minor)));
        return result;

        IOEntry? DeviceOf(BlkioStatsEntry entry)
        {
            if (!devices.TryGetValue((entry.Major, entry.Minor), out IOEntry? device) && devices.Count < DeviceLimit)
            {
                device = devices[(entry.Major, entry.Minor)] = new IOEntry { Major = entry.Major, Minor = entry.Minor };
            }

            return device;
        }
    }
}
