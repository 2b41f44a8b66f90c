using System.Buffers;
using System.Text.Json;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;
using LinuxSpec = Kata.Agent.Protocol.Oci.Linux;

namespace Kata.Agent.Containers;

/// <summary>
/// Writes the specification as the host sent it into the config.json that crun reads. protobuf has no "absent", so zero and empty
/// are left out: crun then takes the default that runc would.
/// </summary>
/// <remarks>
/// Left out on purpose: annotations (crun obeys some of them), AppArmor and SELinux (the guest kernel has neither), the network
/// namespace (containers share the guest's), <c>net.*</c> sysctls (set on the guest by the caller), Intel RDT.
/// </remarks>
internal static partial class SpecJson
{
    /// <summary>What is written follows this version, whatever the caller's does: crun 1.8 refuses one that it does not know.</summary>
    private const string OciVersion = "1.0.2";

    private static readonly JsonWriterOptions s_options = new() { SkipValidation = true };

    /// <summary>config.json.</summary>
    public static byte[] Write(Spec spec, SpecContext context)
    {
        var buffer = new ArrayBufferWriter<byte>(16 * 1024);
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteString("ociVersion", OciVersion);
            json.WritePropertyName("process");
            WriteProcess(json, spec.Process ?? new Process(), context.Extension?.Process);
            json.WriteStartObject("root");
            json.WriteString("path", spec.Root?.Path ?? "");
            json.WriteBoolean("readonly", spec.Root?.Readonly ?? false);
            json.WriteEndObject();
            LinuxSpec linux = spec.Linux ?? new LinuxSpec();
            if (spec.Hostname.Length > 0 && linux.Namespaces.Any(static item => item.Type == "uts"))
            {
                json.WriteString("hostname", spec.Hostname); // without a UTS namespace it would rename the guest
            }

            WriteNonEmpty(json, "domainname", context.Extension?.Domainname ?? "");
            WriteMounts(json, spec.Mounts);
            WriteHooks(json, spec.Hooks);
            WriteLinux(json, linux, context);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The process.json of a further process.</summary>
    public static byte[] Write(Process process, ProcessExtension? extension)
    {
        var buffer = new ArrayBufferWriter<byte>(4 * 1024);
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            WriteProcess(json, process, extension);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteProcess(Utf8JsonWriter json, Process process, ProcessExtension? extension)
    {
        json.WriteStartObject();
        json.WriteBoolean("terminal", process.Terminal);
        if (process.Terminal && process.ConsoleSize is { Height: > 0, Width: > 0 } size)
        {
            json.WriteStartObject("consoleSize");
            json.WriteNumber("height", size.Height);
            json.WriteNumber("width", size.Width);
            json.WriteEndObject();
        }

        User user = process.User ?? new User();
        json.WriteStartObject("user");
        json.WriteNumber("uid", user.UID);
        json.WriteNumber("gid", user.GID);
        if (extension is { HasUmask: true })
        {
            json.WriteNumber("umask", extension.Umask);
        }

        if (user.AdditionalGids.Count > 0)
        {
            json.WriteStartArray("additionalGids");
            foreach (uint gid in user.AdditionalGids)
            {
                json.WriteNumberValue(gid);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        WriteStrings(json, "args", process.Args, always: true);
        WriteStrings(json, "env", process.Env, always: true);
        json.WriteString("cwd", process.Cwd.Length > 0 ? process.Cwd : "/");
        if (process.Capabilities is { } capabilities)
        {
            json.WriteStartObject("capabilities");
            WriteStrings(json, "bounding", capabilities.Bounding, always: true);
            WriteStrings(json, "effective", capabilities.Effective, always: true);
            WriteStrings(json, "inheritable", capabilities.Inheritable, always: true);
            WriteStrings(json, "permitted", capabilities.Permitted, always: true);
            WriteStrings(json, "ambient", capabilities.Ambient, always: true);
            json.WriteEndObject();
        }

        if (process.Rlimits.Count > 0)
        {
            json.WriteStartArray("rlimits");
            foreach (POSIXRlimit limit in process.Rlimits)
            {
                json.WriteStartObject();
                json.WriteString("type", limit.Type);
                json.WriteNumber("hard", limit.Hard);
                json.WriteNumber("soft", limit.Soft);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteBoolean("noNewPrivileges", process.NoNewPrivileges);
        if (process.OOMScoreAdj is < -1000 or > 1000)
        {
            throw AgentException.Invalid($"Cannot use the OOM score {process.OOMScoreAdj}: it is out of range. Give one from -1000 to 1000");
        }

        if (process.OOMScoreAdj != 0)
        {
            json.WriteNumber("oomScoreAdj", process.OOMScoreAdj);
        }

        json.WriteEndObject();
    }

    private static void WriteMounts(Utf8JsonWriter json, RepeatedField<Mount> mounts)
    {
        json.WriteStartArray("mounts");
        foreach (Mount mount in mounts)
        {
            json.WriteStartObject();
            json.WriteString("destination", mount.Destination);
            WriteNonEmpty(json, "type", mount.Type);
            WriteNonEmpty(json, "source", mount.Source);
            WriteStrings(json, "options", mount.Options, always: false);
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
            WriteStrings(json, "args", hook.Args, always: false);
            WriteStrings(json, "env", hook.Env, always: false);
            if (hook.Timeout > 0)
            {
                json.WriteNumber("timeout", hook.Timeout);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, RepeatedField<string> values, bool always)
    {
        if (values.Count > 0 || always)
        {
            json.WriteStartArray(name);
            foreach (string value in values)
            {
                json.WriteStringValue(value);
            }

            json.WriteEndArray();
        }
    }

    private static void WriteNonEmpty(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(name, value);
        }
    }
}
