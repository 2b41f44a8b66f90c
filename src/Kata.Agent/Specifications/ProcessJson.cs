using System.Text.Json;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Specifications;

/// <summary>A process as crun reads it, alone or within a config.json.</summary>
internal static class ProcessJson
{
    /// <summary>The process.json of a further process.</summary>
    public static byte[] Write(Process process, ProcessExtension? extension) =>
        JsonValues.Document(4 * 1024, json => Write(json, process, extension));

    public static void Write(Utf8JsonWriter json, Process process, ProcessExtension? extension)
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
        json.WriteStrings("args", process.Args, always: true);
        json.WriteStrings("env", process.Env, always: true);
        json.WriteString("cwd", process.Cwd.Length > 0 ? process.Cwd : "/");
        if (process.Capabilities is { } capabilities)
        {
            json.WriteStartObject("capabilities");
            json.WriteStrings("bounding", capabilities.Bounding, always: true);
            json.WriteStrings("effective", capabilities.Effective, always: true);
            json.WriteStrings("inheritable", capabilities.Inheritable, always: true);
            json.WriteStrings("permitted", capabilities.Permitted, always: true);
            json.WriteStrings("ambient", capabilities.Ambient, always: true);
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
            throw AgentException.Invalid(
                $"Cannot use the OOM score {process.OOMScoreAdj}: it is out of range. Give one from -1000 to 1000");
        }

        if (process.OOMScoreAdj != 0)
        {
            json.WriteNumber("oomScoreAdj", process.OOMScoreAdj);
        }

        json.WriteEndObject();
    }
}
