using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Statistics;

/// <summary>The lines of <c>events</c>, in runc's form and order, each with its end. Zeros are left out where runc does so.</summary>
internal static class EventLine
{
    /// <summary>More than any machine of ours has; the guest could name as many as fit into a frame.</summary>
    private const int ProcessorLimit = 1024;

    // As Go's encoder: nothing but what JSON itself, and HTML, need.
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.Default };

    public static byte[] OutOfMemory(ContainerId container) => Write("oom", container, static _ => { });

    public static byte[] Stats(ContainerId container, StatsContainerResponse response) => Write("stats", container, json =>
    {
        CgroupStats stats = response.CgroupStats ?? new CgroupStats();
        json.WriteStartObject("data");
        WriteCpu(json, stats.CpuStats ?? new CpuStats());
        WriteCpuSet(json);
        WriteMemory(json, stats.MemoryStats ?? new MemoryStats());
        json.WriteStartObject("pids");
        WriteNonZero(json, "current", stats.PidsStats?.Current ?? 0);
        WriteNonZero(json, "limit", stats.PidsStats?.Limit ?? 0);
        json.WriteEndObject();
        WriteBlockIO(json, stats.BlkioStats ?? new BlkioStats());
        json.WriteStartObject("hugetlb");
        foreach ((string size, HugetlbStats pages) in stats.HugetlbStats
            .OrderBy(static item => item.Key, StringComparer.Ordinal)
            .Take(ContainerMetrics.NameLimit))
        {
            json.WriteStartObject(GuestText.Escape(size));
            WriteNonZero(json, "usage", pages.Usage);
            WriteNonZero(json, "max", pages.MaxUsage);
            json.WriteNumber("failcnt", pages.Failcnt);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartObject("intel_rdt");
        json.WriteEndObject();
        WriteInterfaces(json, response.NetworkStats);
        json.WriteEndObject();
    });

    private static byte[] Write(string type, ContainerId container, Action<Utf8JsonWriter> data)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString("id", container.Value);
            data(json);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteCpu(Utf8JsonWriter json, CpuStats cpu)
    {
        CpuUsage usage = cpu.CpuUsage ?? new CpuUsage();
        json.WriteStartObject("cpu");
        json.WriteStartObject("usage");
        WriteNonZero(json, "total", usage.TotalUsage);
        if (usage.PercpuUsage.Count > 0)
        {
            json.WriteStartArray("percpu");
            foreach (ulong one in usage.PercpuUsage.Take(ProcessorLimit))
            {
                json.WriteNumberValue(one);
            }

            json.WriteEndArray();
        }

        json.WriteNumber("kernel", usage.UsageInKernelmode);
        json.WriteNumber("user", usage.UsageInUsermode);
        json.WriteEndObject();
        json.WriteStartObject("throttling");
        WriteNonZero(json, "periods", cpu.ThrottlingData?.Periods ?? 0);
        WriteNonZero(json, "throttledPeriods", cpu.ThrottlingData?.ThrottledPeriods ?? 0);
        WriteNonZero(json, "throttledTime", cpu.ThrottlingData?.ThrottledTime ?? 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // Files of cgroup v1 only; runc prints zeros where there is v2.
    private static void WriteCpuSet(Utf8JsonWriter json)
    {
        json.WriteStartObject("cpuset");
        foreach (string name in new[]
        {
            "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab",
            "memory_pressure", "sched_load_balance", "sched_relax_domain_level",
        })
        {
            json.WriteNumber(name, 0);
        }

        json.WriteEndObject();
    }

    private static void WriteMemory(Utf8JsonWriter json, MemoryStats memory)
    {
        MemoryData usage = memory.Usage ?? new MemoryData(), swap = memory.SwapUsage ?? new MemoryData();
        json.WriteStartObject("memory");
        WriteNonZero(json, "cache", memory.Cache);
        WriteEntry(json, "usage", usage);
        // As runc with cgroup v2: memory and swap together, because that is what version 1 counted.
        WriteEntry(json, "swap", new MemoryData
        {
            Usage = swap.Usage + usage.Usage,
            MaxUsage = swap.MaxUsage,
            Limit = swap.Limit == ulong.MaxValue || usage.Limit == ulong.MaxValue ? ulong.MaxValue : swap.Limit + usage.Limit,
            Failcnt = swap.Failcnt,
        });
        WriteEntry(json, "kernel", memory.KernelUsage ?? new MemoryData());
        WriteEntry(json, "kernelTCP", new MemoryData());
        json.WriteStartObject("raw");
        foreach ((string name, ulong value) in memory.Stats
            .Where(static item => !item.Key.StartsWith(ContainerResources.EventPrefix, StringComparison.Ordinal))
            .OrderBy(static item => item.Key, StringComparer.Ordinal)
            .Take(ContainerMetrics.DeviceLimit))
        {
            json.WriteNumber(GuestText.Escape(name), value);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteEntry(Utf8JsonWriter json, string name, MemoryData data)
    {
        json.WriteStartObject(name);
        json.WriteNumber("limit", data.Limit);
        WriteNonZero(json, "usage", data.Usage);
        WriteNonZero(json, "max", data.MaxUsage);
        json.WriteNumber("failcnt", data.Failcnt);
        json.WriteEndObject();
    }

    private static void WriteBlockIO(Utf8JsonWriter json, BlkioStats block)
    {
        json.WriteStartObject("blkio");
        WriteEntries("ioServiceBytesRecursive", block.IoServiceBytesRecursive);
        WriteEntries("ioServicedRecursive", block.IoServicedRecursive);
        WriteEntries("ioQueueRecursive", block.IoQueuedRecursive);
        WriteEntries("ioServiceTimeRecursive", block.IoServiceTimeRecursive);
        WriteEntries("ioWaitTimeRecursive", block.IoWaitTimeRecursive);
        WriteEntries("ioMergedRecursive", block.IoMergedRecursive);
        WriteEntries("ioTimeRecursive", block.IoTimeRecursive);
        WriteEntries("sectorsRecursive", block.SectorsRecursive);
        json.WriteEndObject();

        void WriteEntries(string name, RepeatedField<BlkioStatsEntry> entries)
        {
            if (entries.Count == 0)
            {
                return;
            }

            json.WriteStartArray(name);
            foreach (BlkioStatsEntry entry in entries.Take(ContainerMetrics.DeviceLimit * 2))
            {
                json.WriteStartObject();
                WriteNonZero(json, "major", entry.Major);
                WriteNonZero(json, "minor", entry.Minor);
                if (entry.Op.Length > 0)
                {
                    json.WriteString("op", GuestText.Escape(entry.Op));
                }

                WriteNonZero(json, "value", entry.Value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    private static void WriteInterfaces(Utf8JsonWriter json, RepeatedField<NetworkStats> interfaces)
    {
        if (interfaces.Count == 0)
        {
            json.WriteNull("network_interfaces");
            return;
        }

        json.WriteStartArray("network_interfaces");
        foreach (NetworkStats item in interfaces.Take(ContainerMetrics.DeviceLimit))
        {
            json.WriteStartObject();
            json.WriteString("Name", GuestText.Escape(item.Name));
            json.WriteNumber("RxBytes", item.RxBytes);
            json.WriteNumber("RxPackets", item.RxPackets);
            json.WriteNumber("RxErrors", item.RxErrors);
            json.WriteNumber("RxDropped", item.RxDropped);
            json.WriteNumber("TxBytes", item.TxBytes);
            json.WriteNumber("TxPackets", item.TxPackets);
            json.WriteNumber("TxErrors", item.TxErrors);
            json.WriteNumber("TxDropped", item.TxDropped);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNonZero(Utf8JsonWriter json, string name, ulong value)
    {
        if (value != 0)
        {
            json.WriteNumber(name, value);
        }
    }
}
