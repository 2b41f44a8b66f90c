using System.Text.Json;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Specifications;

/// <summary>A container's limits as crun reads them, alone or within a config.json.</summary>
internal static class ResourcesJson
{
    /// <summary>The resources alone, as <c>crun update --resources</c> reads them.</summary>
    public static byte[] Write(LinuxResources resources) => JsonValues.Document(1024, json =>
    {
        json.WriteStartObject();
        WriteValues(json, resources);
        json.WriteEndObject();
    });

    /// <summary>With the rules for devices, which an update leaves alone.</summary>
    public static void Write(Utf8JsonWriter json, LinuxResources resources, ContainerExtension? extension)
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
            json.WriteNonEmpty("type", rule.Type);
            if (!all && rule.Major >= 0)
            {
                json.WriteNumber("major", rule.Major); // negative: every one
            }

            if (!all && rule.Minor >= 0)
            {
                json.WriteNumber("minor", rule.Minor);
            }

            json.WriteNonEmpty("access", rule.Access);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteValues(json, resources);
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

    private static void WriteValues(Utf8JsonWriter json, LinuxResources resources)
    {
        if (resources.Memory is { } memory)
        {
            json.WriteStartObject("memory");
            json.WriteNonZero("limit", memory.Limit);
            json.WriteNonZero("reservation", memory.Reservation);
            json.WriteNonZero("swap", memory.Swap);
            json.WriteEndObject();
        }

        if (resources.CPU is { } cpu)
        {
            json.WriteStartObject("cpu");
            json.WriteNonZero("shares", (long)cpu.Shares);
            json.WriteNonZero("quota", cpu.Quota);
            json.WriteNonZero("period", (long)cpu.Period);
            json.WriteNonEmpty("cpus", cpu.Cpus);
            json.WriteNonEmpty("mems", cpu.Mems);
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
            json.WriteNonZero("weight", block.Weight);
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
}
