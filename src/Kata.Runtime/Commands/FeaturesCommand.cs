using System.Buffers;
using System.CommandLine;
using System.Text;
using System.Text.Json;
using Kata.Configuration;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary><c>features</c>: what this runtime can do, in the form of the OCI runtime specification (features.md).</summary>
internal static class FeaturesCommand
{
    public static Command Define()
    {
        var command = new Command("features", "Print what a container can be given here, as the OCI specification's features document");
        command.SetAction(static _ =>
        {
            Print();
            return ExitCodes.Success;
        });
        return command;
    }

    /// <summary>Writes the document to standard output.</summary>
    internal static void Print() => Console.Out.WriteLine(Encoding.UTF8.GetString(Write()));

    internal static byte[] Write()
    {
        var buffer = new ArrayBufferWriter<byte>(8192);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, IndentSize = 4 }))
        {
            json.WriteStartObject();
            json.WriteString("ociVersionMin", SupportedFeatures.OciVersionMin);
            json.WriteString("ociVersionMax", SupportedFeatures.OciVersionMax);
            List(json, "hooks", SupportedFeatures.Hooks);
            List(json, "mountOptions", SupportedFeatures.MountOptions);
            WriteLinux(json);
            json.WriteStartObject("annotations");
            json.WriteString("io.katacontainers.runtime.commit", RuntimeVersion.Commit);
            json.WriteString("io.katacontainers.runtime.version", RuntimeVersion.Number);
            json.WriteString("org.opencontainers.runc.checkpoint.enabled", "false"); // what engines ask before they offer it
            json.WriteEndObject();
            List(json, "potentiallyUnsafeConfigAnnotations", [ConfigurationAnnotations.Prefix]);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteLinux(Utf8JsonWriter json)
    {
        json.WriteStartObject("linux");
        List(json, "namespaces", SupportedFeatures.Namespaces);
        List(json, "capabilities", ProcessRules.KnownCapabilities);
        json.WriteStartObject("cgroup");
        json.WriteBoolean("v1", true); // of the host, for the pod's processes; in the guest it is always version 2
        json.WriteBoolean("v2", true);
        json.WriteBoolean("systemd", false);
        json.WriteBoolean("systemdUser", false);
        json.WriteBoolean("rdma", false);
        json.WriteEndObject();
        json.WriteStartObject("seccomp");
        json.WriteBoolean("enabled", true);
        List(json, "actions", SupportedFeatures.SeccompActions);
        List(json, "operators", SupportedFeatures.SeccompOperators);
        List(json, "archs", SupportedFeatures.SeccompArchitectures);
        List(json, "knownFlags", SupportedFeatures.SeccompFlags);
        List(json, "supportedFlags", SupportedFeatures.SeccompFlags);
        json.WriteEndObject();
        Disabled(json, "apparmor");
        Disabled(json, "selinux");
        Disabled(json, "intelRdt");
        json.WriteStartObject("mountExtensions");
        json.WriteStartObject("idmap");
        json.WriteBoolean("enabled", true);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Disabled(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteBoolean("enabled", false);
        json.WriteEndObject();
    }

    private static void List(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
