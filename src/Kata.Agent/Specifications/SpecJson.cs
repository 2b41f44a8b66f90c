using System.Text.Json;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol.Oci;
using LinuxSpec = Kata.Agent.Protocol.Oci.Linux;

namespace Kata.Agent.Specifications;

/// <summary>
/// Writes the specification, as the host sent it and the guest amended it, into the config.json that crun reads.
/// </summary>
/// <remarks>
/// Left out on purpose: annotations (crun obeys some of them), AppArmor and SELinux (the guest kernel has neither), the network
/// namespace (containers share the guest's), <c>net.*</c> sysctls (set on the guest by the caller), Intel RDT.
/// </remarks>
internal static class SpecJson
{
    /// <summary>What is written follows this version, whatever the caller's does: crun 1.8 refuses one that it does not know.</summary>
    private const string OciVersion = "1.0.2";

    /// <summary>config.json.</summary>
    public static byte[] Write(Spec spec, SpecContext context) => JsonValues.Document(16 * 1024, json =>
    {
        json.WriteStartObject();
        json.WriteString("ociVersion", OciVersion);
        json.WritePropertyName("process");
        ProcessJson.Write(json, spec.Process ?? new Process(), context.Extension?.Process);
        json.WriteStartObject("root");
        json.WriteString("path", spec.Root?.Path ?? "");
        json.WriteBoolean("readonly", spec.Root?.Readonly ?? false);
        json.WriteEndObject();
        LinuxSpec linux = spec.Linux ?? new LinuxSpec();
        if (spec.Hostname.Length > 0 && linux.Namespaces.Any(static item => item.Type == "uts"))
        {
            json.WriteString("hostname", spec.Hostname); // without a UTS namespace it would rename the guest
        }

        json.WriteNonEmpty("domainname", context.Extension?.Domainname ?? "");
        WriteMounts(json, spec.Mounts);
        WriteHooks(json, spec.Hooks);
        LinuxJson.Write(json, linux, context);
        json.WriteEndObject();
    });

    private static void WriteMounts(Utf8JsonWriter json, RepeatedField<Mount> mounts)
    {
        json.WriteStartArray("mounts");
        foreach (Mount mount in mounts)
        {
            json.WriteStartObject();
            json.WriteString("destination", mount.Destination);
            json.WriteNonEmpty("type", mount.Type);
            json.WriteNonEmpty("source", mount.Source);
            json.WriteStrings("options", mount.Options, always: false);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteHooks(Utf8JsonWriter json, Hooks? hooks)
    {
        if (hooks is null)
        {
            return;
        }

        json.WriteStartObject("hooks");
        WriteHookList(json, "prestart", hooks.Prestart);
        WriteHookList(json, "createRuntime", hooks.CreateRuntime);
        WriteHookList(json, "createContainer", hooks.CreateContainer);
        WriteHookList(json, "startContainer", hooks.StartContainer);
        WriteHookList(json, "poststart", hooks.Poststart);
        WriteHookList(json, "poststop", hooks.Poststop);
        json.WriteEndObject();
    }

    private static void WriteHookList(Utf8JsonWriter json, string name, RepeatedField<Hook> hooks)
    {
        if (hooks.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (Hook hook in hooks)
        {
            json.WriteStartObject();
            json.WriteString("path", hook.Path);
            json.WriteStrings("args", hook.Args, always: false);
            json.WriteStrings("env", hook.Env, always: false);
            if (hook.Timeout > 0)
            {
                json.WriteNumber("timeout", hook.Timeout);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
