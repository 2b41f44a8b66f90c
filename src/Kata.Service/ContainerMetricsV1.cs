using Google.Protobuf;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>
/// The agent's statistics as containerd's for cgroup v1, <c>protos/containerd/cgroups/metrics_v1.proto</c>. The guest has version 2: what
/// that counts under another name is put where clients of version 1 look for it; what it does not count (page-ins, processors one by one)
/// is left out.
/// </summary>
internal static class ContainerMetricsV1
{
    /// <summary>The type's name in an Any, as containerd's clients look it up.</summary>
    public const string TypeUrl = "io.containerd.cgroups.v1.Metrics";

    /// <summary>What the kernel prints for no limit: PAGE_COUNTER_MAX of 4 KiB pages. Clients take what is above 2^62 for none.</summary>
    public const ulong Unlimited = long.MaxValue & ~0xffful;

    public static ByteString Build(StatsContainerResponse response)
    {
        CgroupStats stats = response.CgroupStats ?? new CgroupStats();
        MapField<string, ulong> raw = stats.MemoryStats?.Stats ?? [];
        MetricsWriter metrics = new MetricsWriter()
            .Message(2, new MetricsWriter().Numbers(1, stats.PidsStats?.Current ?? 0, stats.PidsStats?.Limit ?? 0))
            .Message(3, Cpu(stats.CpuStats ?? new CpuStats()))
            .Message(4, Memory(stats.MemoryStats ?? new MemoryStats(), name => raw.TryGetValue(name, out ulong value) ? value : 0))
            .Message(5, Io(stats.BlkioStats ?? new BlkioStats()));
        foreach (NetworkStats link in response.NetworkStats.Take(ContainerMetrics.DeviceLimit))
        {
            metrics.Message(7, new MetricsWriter().Text(1, GuestText.Escape(link.Name)).Numbers(
                2, link.RxBytes, link.RxPackets, link.RxErrors, link.RxDropped,
                link.TxBytes, link.TxPackets, link.TxErrors, link.TxDropped));
        }

        ulong oomKills = raw.TryGetValue(ContainerResources.EventPrefix + "oom_kill", out ulong kills) ? kills : 0;
        return metrics.Message(9, new MetricsWriter().Number(3, oomKills)).ToBytes();
    }

    private static MetricsWriter Cpu(CpuStats stats)
    {
        CpuUsage usage = stats.CpuUsage ?? new CpuUsage();
        ThrottlingData throttling = stats.ThrottlingData ?? new ThrottlingData();
        return new MetricsWriter()
            .Message(1, new MetricsWriter().Numbers(1, usage.TotalUsage, usage.UsageInKernelmode, usage.UsageInUsermode))
            .Message(2, new MetricsWriter().Numbers(1, throttling.Periods, throttling.ThrottledPeriods, throttling.ThrottledTime));
    }

    private static MetricsWriter Memory(MemoryStats stats, Func<string, ulong> of)
    {
        MemoryData usage = stats.Usage ?? new MemoryData(), swap = stats.SwapUsage ?? new MemoryData();
        ulong limit = LimitOf(usage.Limit), both = Sum(limit, LimitOf(swap.Limit));
        // cache, rss, rss_huge, mapped_file, dirty, writeback
        ulong[] pages = [of("file"), of("anon"), of("anon_thp"), of("file_mapped"), of("file_dirty"), of("file_writeback")];
        // pg_fault, pg_maj_fault, then the lists
        ulong[] lists =
        [
            of("pgfault"), of("pgmajfault"), of("inactive_anon"), of("active_anon"), of("inactive_file"), of("active_file"),
            of("unevictable"),
        ];
        return new MetricsWriter()
            .Numbers(1, pages).Numbers(9, lists)
            .Numbers(16, limit, both)
            .Numbers(18, pages).Numbers(26, lists) // a group of version 2 counts those below it always: the totals are the same
            .Message(33, Entry(limit, usage.Usage, usage.MaxUsage, usage.Failcnt))
            .Message(34, Entry(both, Sum(usage.Usage, swap.Usage), Sum(usage.MaxUsage, swap.MaxUsage), swap.Failcnt))
            .Message(35, Entry(Unlimited, stats.KernelUsage?.Usage ?? 0, 0, 0))
            .Message(36, Entry(Unlimited, of("sock"), 0, 0));
    }

    private static MetricsWriter Entry(ulong limit, ulong usage, ulong max, ulong failures) =>
        new MetricsWriter().Numbers(1, limit, usage, max, failures);

    private static MetricsWriter Io(BlkioStats stats)
    {
        var result = new MetricsWriter();
        Add(1, stats.IoServiceBytesRecursive);
        Add(2, stats.IoServicedRecursive);
        return result;

        // A guest can name as many devices, and whatever operations, it likes.
        void Add(int field, IEnumerable<BlkioStatsEntry> entries)
        {
            foreach (BlkioStatsEntry entry in entries.Where(static entry => entry.Op is "Read" or "Write")
                .Take(ContainerMetrics.DeviceLimit * 2))
            {
                result.Message(field, new MetricsWriter().Text(1, entry.Op).Numbers(3, entry.Major, entry.Minor, entry.Value));
            }
        }
    }

    // The agent's word for no limit is the largest number, and 0 where the guest has no such limit at all.
    private static ulong LimitOf(ulong limit) => limit is 0 or > Unlimited ? Unlimited : limit;

    private static ulong Sum(ulong a, ulong b) => Math.Min(Math.Min(a, Unlimited) + Math.Min(b, Unlimited), Unlimited);
}
