using System.Text.Json;
using Grpc.Core;

namespace Kata.Agent.Containers;

/// <summary>
/// Says crun's failures in runc's words, which engines and orchestrators match on, with a status code each: NotFound when there is
/// no such executable, PermissionDenied when it may not be executed, Internal with crun's own text otherwise. Seen with crun 1.8.1.
/// </summary>
internal static class CrunErrors
{
    private const int TextLimit = 4 * 1024;

    /// <param name="log">crun's log, JSON lines; anything else is taken as its text.</param>
    /// <param name="command">The first word of the process, as the caller gave it.</param>
    /// <param name="action">What was tried, for the general case: "create the container 'x'".</param>
    public static RpcException Translate(string log, string command, string action)
    {
        string text = LastMessage(log);
        if (text.Contains("not found in $PATH", StringComparison.Ordinal))
        {
            return AgentException.Of(StatusCode.NotFound, command.Contains('/', StringComparison.Ordinal)
                ? $"exec: \"{command}\": stat {command}: no such file or directory"
                : $"exec: \"{command}\": executable file not found in $PATH");
        }

        // A directory gives "Operation not permitted" here; runc calls both the same.
        if (IsDenied(text))
        {
            return AgentException.Of(StatusCode.PermissionDenied, $"exec: \"{command}\": permission denied");
        }

        return AgentException.Failed($"Cannot {action}: {(text.Length > 0 ? text : "crun failed without a message")}");
    }

    /// <summary>The last error in crun's log.</summary>
    internal static string LastMessage(string log)
    {
        string last = "";
        foreach (string line in log.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            last = ReadMessage(line) ?? last;
        }

        return last.Length > TextLimit ? last[..TextLimit] : last;
    }

    private static string? ReadMessage(string line)
    {
        try
        {
            using var record = JsonDocument.Parse(line);
            return record.RootElement.ValueKind == JsonValueKind.Object
                && record.RootElement.TryGetProperty("msg", out JsonElement text) && text.ValueKind == JsonValueKind.String
                ? text.GetString()
                : null;
        }
        catch (JsonException)
        {
            return line;
        }
    }

    private static bool IsDenied(string text) =>
        text.StartsWith("open executable: ", StringComparison.Ordinal)
            && (text.EndsWith("Permission denied", StringComparison.Ordinal) || text.EndsWith("Operation not permitted", StringComparison.Ordinal));
}
