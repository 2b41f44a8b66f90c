using System.Text.Json;
using Kata.Agent.Protocol.Oci;
using LinuxSpec = Kata.Agent.Protocol.Oci.Linux;

namespace Kata.Agent.Specifications;

/// <summary>The namespaces that crun makes for a container or has it join.</summary>
internal static class NamespacesJson
{
    // Whatever the specification leaves out: the guest's own mounts and processes are no container's.
    private static readonly string[] s_always = ["mount", "pid"];

    public static void Write(Utf8JsonWriter json, LinuxSpec linux, SpecContext context)
    {
        json.WriteStartArray("namespaces");
        if (context.Extension is not null)
        {
            WriteDecided(json, context.Namespaces);
        }
        else
        {
            WriteSpecified(json, linux, context);
        }

        json.WriteEndArray();
    }

    private static void WriteDecided(Utf8JsonWriter json, IReadOnlyDictionary<string, string> namespaces)
    {
        foreach ((string type, string path) in namespaces)
        {
            Write(json, type, path);
        }

        foreach (string type in s_always.Where(type => !namespaces.ContainsKey(type)))
        {
            Write(json, type, "");
        }
    }

    // By a host that knows the common protocol only.
    private static void WriteSpecified(Utf8JsonWriter json, LinuxSpec linux, SpecContext context)
    {
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

            Write(json, item.Type, path);
        }

        if (!hasMount)
        {
            Write(json, "mount", "");
        }

        if (!hasPid)
        {
            Write(json, "pid", context.JoinPidNamespace ? context.SharedNamespaces.GetValueOrDefault("pid", "") : "");
        }
    }

    private static void Write(Utf8JsonWriter json, string type, string path)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteNonEmpty("path", path);
        json.WriteEndObject();
    }
}
