using System.Buffers;
using System.Text.Json;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Containers;

internal static partial class SpecJson
{
    /// <summary>The resources alone, as <c>crun update --resources</c> reads them.</summary>
    public static byte[] Write(LinuxResources resources)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            WriteResourceValues(json, resources);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteResources(Utf8JsonWriter json, LinuxResources resources, ContainerExtension? extension)
    {
        json.WriteStartObject();
        json.WriteStartArray("devices");
        if (resources.Devices.Count == 0)
        {
            // Nothing said: nothing but the usual nodes, which crun always allows. A container may hold CAP_MKNOD.
            json.WriteStartObject();
            json.WriteBoolean("allow", false);
            json.WriteString("access", "rwm");
            json.WriteEndObject();
        }

        foreach (LinuxDeviceCgroup rule in resources.Devices)
        {
            bool all = rule.Type is "" or "a";
            json.WriteStartObject();
            json.WriteBoolean("allow", rule.Allow);
            WriteNonEmpty(json, "type", rule.Type);
            if (!all && rule.Major >= 0)
            {
                json.WriteNumber("major", rule.Major); // negative: every one
            }

            if (!all && rule.Minor >= 0)
            {
                json.WriteNumber("minor", rule.Minor);
            }

            WriteNonEmpty(json, "access", rule.Access);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteResourceValues(json, resources);
        if (extension is { Unified.Count: > 0 })
        {
            json.WriteStartObject("unified");
            foreach ((string name, string value) in extension.Unified)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteResourceValues(Utf8JsonWriter json, LinuxResources resources)
    {
        if (resources.Memory is { } memory)
        {
            json.WriteStartObject("memory");
            WriteNonZero(json, "limit", memory.Limit);
            WriteNonZero(json, "reservation", memory.Reservation);
            WriteNonZero(json, "swap", memory.Swap);
            json.WriteEndObject();
        }

        if (resources.CPU is { } cpu)
        {
            json.WriteStartObject("cpu");
            WriteNonZero(json, "shares", (long)cpu.Shares);
            WriteNonZero(json, "quota", cpu.Quota);
            WriteNonZero(json, "period", (long)cpu.Period);
            WriteNonEmpty(json, "cpus", cpu.Cpus);
            WriteNonEmpty(json, "mems", cpu.Mems);
            json.WriteEndObject();
        }

        if (resources.Pids is { Limit: not 0 } pids)
        {
            json.WriteStartObject("pids");
            json.WriteNumber("limit", pids.Limit);
            json.WriteEndObject();
        }

        if (resources.HugepageLimits.Count > 0)
        {
            json.WriteStartArray("hugepageLimits");
            foreach (LinuxHugepageLimit limit in resources.HugepageLimits)
            {
                json.WriteStartObject();
                json.WriteString("pageSize", limit.Pagesize);
                json.WriteNumber("limit", limit.Limit);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (resources.BlockIO is { } block)
        {
            json.WriteStartObject("blockIO");
            WriteNonZero(json, "weight", block.Weight);
            WriteThrottles(json, "throttleReadBpsDevice", block.ThrottleReadBpsDevice);
            WriteThrottles(json, "throttleWriteBpsDevice", block.ThrottleWriteBpsDevice);
            WriteThrottles(json, "throttleReadIOPSDevice", block.ThrottleReadIOPSDevice);
            WriteThrottles(json, "throttleWriteIOPSDevice", block.ThrottleWriteIOPSDevice);
            json.WriteEndObject();
        }
    }

    private static void WriteThrottles(Utf8JsonWriter json, string name, RepeatedField<LinuxThrottleDevice> devices)
    {
        if (devices.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (LinuxThrottleDevice device in devices)
        {
            json.WriteStartObject();
            json.WriteNumber("major", device.Major);
            json.WriteNumber("minor", device.Minor);
            json.WriteNumber("rate", device.Rate);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNonZero(Utf8JsonWriter json, string name, long value)
    {
        if (value != 0)
        {
            json.WriteNumber(name, value);
        }
    }
}
