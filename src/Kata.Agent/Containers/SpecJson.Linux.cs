using System.Text.Json;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;
using LinuxSpec = Kata.Agent.Protocol.Oci.Linux;

namespace Kata.Agent.Containers;

internal static partial class SpecJson
{
    private static readonly string[] s_always = ["mount", "pid"];

    private static void WriteLinux(Utf8JsonWriter json, LinuxSpec linux, SpecContext context)
    {
        json.WriteStartObject("linux");
        json.WriteString("cgroupsPath", context.CgroupPath);
        WriteNamespaces(json, linux, context);
        WriteIdMappings(json, "uidMappings", linux.UIDMappings);
        WriteIdMappings(json, "gidMappings", linux.GIDMappings);
        KeyValuePair<string, string>[] sysctls = [.. linux.Sysctl.Where(static item => !IsNetworkSysctl(item.Key))];
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
        WriteResources(json, linux.Resources ?? new LinuxResources(), context.Extension);
        WriteSeccomp(json, linux.Seccomp, context.Extension);
        WritePersonality(json, context.Extension?.Personality);
        WriteNonEmpty(json, "rootfsPropagation", linux.RootfsPropagation);
        WriteStrings(json, "maskedPaths", linux.MaskedPaths, always: false);
        WriteStrings(json, "readonlyPaths", linux.ReadonlyPaths, always: false);
        json.WriteEndObject();
    }

    /// <summary>These belong to the network namespace, which is the guest's.</summary>
    internal static bool IsNetworkSysctl(string name) => name.StartsWith("net.", StringComparison.Ordinal) || name.StartsWith("net/", StringComparison.Ordinal);

    private static void WriteNamespaces(Utf8JsonWriter json, LinuxSpec linux, SpecContext context)
    {
        json.WriteStartArray("namespaces");
        if (context.Extension is not null)
        {
            foreach ((string type, string path) in context.Namespaces)
            {
                WriteNamespace(json, type, path);
            }

            // Whatever the specification leaves out: the guest's own mounts and processes are no container's.
            foreach (string type in s_always.Where(type => !context.Namespaces.ContainsKey(type)))
            {
                WriteNamespace(json, type, "");
            }

            json.WriteEndArray();
            return;
        }

        bool hasMount = false, hasPid = false;
        foreach (LinuxNamespace item in linux.Namespaces)
        {
            if (item.Type is "network")
            {
                continue;
            }

            hasMount |= item.Type == "mount";
            hasPid |= item.Type == "pid";
            string path = item.Path;
            if (path.Length == 0 && (item.Type != "pid" || context.JoinPidNamespace))
            {
                path = context.SharedNamespaces.GetValueOrDefault(item.Type, "");
            }

            WriteNamespace(json, item.Type, path);
        }

        if (!hasMount)
        {
            WriteNamespace(json, "mount", "");
        }

        if (!hasPid)
        {
            WriteNamespace(json, "pid", context.JoinPidNamespace ? context.SharedNamespaces.GetValueOrDefault("pid", "") : "");
        }

        json.WriteEndArray();
    }

    private static void WriteNamespace(Utf8JsonWriter json, string type, string path)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        WriteNonEmpty(json, "path", path);
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
            WriteStrings(json, "flags", personality.Flags, always: false);
            json.WriteEndObject();
        }
    }

    private static void WriteSeccomp(Utf8JsonWriter json, LinuxSeccomp? seccomp, ContainerExtension? extension)
    {
        if (seccomp is null || seccomp.DefaultAction.Length == 0)
        {
            return;
        }

        json.WriteStartObject("seccomp");
        json.WriteString("defaultAction", seccomp.DefaultAction);
        if (extension is { HasSeccompDefaultErrno: true })
        {
            json.WriteNumber("defaultErrnoRet", extension.SeccompDefaultErrno);
        }

        WriteStrings(json, "architectures", seccomp.Architectures, always: false);
        WriteStrings(json, "flags", seccomp.Flags, always: false);
        json.WriteStartArray("syscalls");
        foreach (LinuxSyscall rule in seccomp.Syscalls)
        {
            json.WriteStartObject();
            WriteStrings(json, "names", rule.Names, always: true);
            json.WriteString("action", rule.Action);
            if (rule.ErrnoRetCase == LinuxSyscall.ErrnoRetOneofCase.Errnoret)
            {
                json.WriteNumber("errnoRet", rule.Errnoret);
            }

            if (rule.Args.Count > 0)
            {
                json.WriteStartArray("args");
                foreach (LinuxSeccompArg argument in rule.Args)
                {
                    json.WriteStartObject();
                    json.WriteNumber("index", argument.Index);
                    json.WriteNumber("value", argument.Value);
                    json.WriteNumber("valueTwo", argument.ValueTwo);
                    json.WriteString("op", argument.Op);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
