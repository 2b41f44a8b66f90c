using Kata.Agent.Protocol;

namespace Kata.Agent.Cgroups;

/// <summary>Collects one container's figures into the agent protocol's form, which follows cgroup v1's shape.</summary>
internal static class CgroupStatistics
{
    /// <summary>
    /// What is put before the names of memory.events, which go into the same map as memory.stat: the protocol has no field for them.
    /// </summary>
    public const string EventPrefix = "events.";

    public static CgroupStats Collect(Cgroup cgroup)
    {
        Dictionary<string, ulong> cpu = CgroupParser.ParseFlat(cgroup.Read("cpu.stat"));
        Dictionary<string, ulong> memory = CgroupParser.ParseFlat(cgroup.Read("memory.stat"));
        Dictionary<string, ulong> memoryEvents = CgroupParser.ParseFlat(cgroup.Read("memory.events"));
        var result = new CgroupStats
        {
            CpuStats = new CpuStats
            {
                CpuUsage = new CpuUsage
                {
                    // The files count microseconds, the protocol nanoseconds.
                    TotalUsage = cpu.GetValueOrDefault("usage_usec") * 1000,
                    UsageInUsermode = cpu.GetValueOrDefault("user_usec") * 1000,
                    UsageInKernelmode = cpu.GetValueOrDefault("system_usec") * 1000,
                },
                ThrottlingData = new ThrottlingData
                {
                    Periods = cpu.GetValueOrDefault("nr_periods"),
                    ThrottledPeriods = cpu.GetValueOrDefault("nr_throttled"),
                    ThrottledTime = cpu.GetValueOrDefault("throttled_usec") * 1000,
                },
            },
            MemoryStats = new MemoryStats
            {
                Cache = memory.GetValueOrDefault("file"),
                Usage = Memory(cgroup, "memory", memoryEvents.GetValueOrDefault("max")),
                SwapUsage = Memory(cgroup, "memory.swap", 0),
                KernelUsage = new MemoryData { Usage = memory.GetValueOrDefault("kernel") },
                UseHierarchy = true,
            },
            PidsStats = new PidsStats
            {
                Current = CgroupParser.ParseNumber(cgroup.Read("pids.current")) ?? 0,
                Limit = Limit(cgroup.Read("pids.max")),
            },
            BlkioStats = CgroupParser.ParseIo(cgroup.Read("io.stat")),
        };
        result.MemoryStats.Stats.Add(memory);
        foreach ((string name, ulong count) in memoryEvents)
        {
            result.MemoryStats.Stats[EventPrefix + name] = count;
        }

        return result;
    }

    private static MemoryData Memory(Cgroup cgroup, string prefix, ulong failures) => new()
    {
        Usage = CgroupParser.ParseNumber(cgroup.Read($"{prefix}.current")) ?? 0,
        MaxUsage = CgroupParser.ParseNumber(cgroup.Read($"{prefix}.peak")) ?? 0,
        Limit = CgroupParser.ParseNumber(cgroup.Read($"{prefix}.max")) ?? 0,
        Failcnt = failures,
    };

    // 0 is the protocol's word for no limit.
    private static ulong Limit(string text) => CgroupParser.ParseNumber(text) is { } value and not ulong.MaxValue ? value : 0;
}
