using System.Text.Json;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;
using LinuxSpec = Kata.Agent.Protocol.Oci.Linux;

namespace Kata.Agent.Specifications;

/// <summary>The part of a config.json that is Linux's.</summary>
internal static class LinuxJson
{
    public static void Write(Utf8JsonWriter json, LinuxSpec linux, SpecContext context)
    {
        json.WriteStartObject("linux");
        json.WriteString("cgroupsPath", context.CgroupPath);
        NamespacesJson.Write(json, linux, context);
        WriteIdMappings(json, "uidMappings", linux.UIDMappings);
        WriteIdMappings(json, "gidMappings", linux.GIDMappings);
        KeyValuePair<string, string>[] sysctls = [.. linux.Sysctl.Where(static item => !NetworkSysctl.IsOne(item.Key))];
        if (sysctls.Length > 0)
        {
            json.WriteStartObject("sysctl");
            foreach ((string name, string value) in sysctls)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        WriteDevices(json, linux.Devices);
        json.WritePropertyName("resources");
        ResourcesJson.Write(json, linux.Resources ?? new LinuxResources(), context.Extension);
        SeccompJson.Write(json, linux.Seccomp, context.Extension);
        WritePersonality(json, context.Extension?.Personality);
        json.WriteNonEmpty("rootfsPropagation", linux.RootfsPropagation);
        json.WriteStrings("maskedPaths", linux.MaskedPaths, always: false);
        json.WriteStrings("readonlyPaths", linux.ReadonlyPaths, always: false);
        json.WriteEndObject();
    }

    private static void WriteIdMappings(Utf8JsonWriter json, string name, RepeatedField<LinuxIDMapping> mappings)
    {
        if (mappings.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (LinuxIDMapping mapping in mappings)
        {
            // crun 1.8 takes a namespace with such a line for the guest's own, and then mounts a sysfs that the kernel refuses.
            uint first = mapping.Size == uint.MaxValue ? mapping.Size - 1 : mapping.Size;
            WriteIdMapping(json, mapping.HostID, mapping.ContainerID, first);
            if (first < mapping.Size)
            {
                WriteIdMapping(json, mapping.HostID + first, mapping.ContainerID + first, mapping.Size - first);
            }
        }

        json.WriteEndArray();
    }

    private static void WriteIdMapping(Utf8JsonWriter json, uint hostId, uint containerId, uint size)
    {
        json.WriteStartObject();
        json.WriteNumber("hostID", hostId);
        json.WriteNumber("containerID", containerId);
        json.WriteNumber("size", size);
        json.WriteEndObject();
    }

    private static void WriteDevices(Utf8JsonWriter json, RepeatedField<LinuxDevice> devices)
    {
        if (devices.Count == 0)
        {
            return;
        }

        json.WriteStartArray("devices");
        foreach (LinuxDevice device in devices)
        {
            json.WriteStartObject();
            json.WriteString("path", device.Path);
            json.WriteString("type", device.Type);
            json.WriteNumber("major", device.Major);
            json.WriteNumber("minor", device.Minor);
            if (device.FileMode != 0)
            {
                json.WriteNumber("fileMode", device.FileMode);
            }

            json.WriteNumber("uid", device.UID);
            json.WriteNumber("gid", device.GID);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WritePersonality(Utf8JsonWriter json, Personality? personality)
    {
        if (personality is not null)
        {
            json.WriteStartObject("personality");
            json.WriteString("domain", personality.Domain);
            json.WriteStrings("flags", personality.Flags, always: false);
            json.WriteEndObject();
        }
    }
}
