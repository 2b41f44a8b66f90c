using System.Globalization;
using Grpc.Core;
using Kata.Linux;

namespace Kata.Agent.Containers;

/// <summary>
/// Says crun's failures in runc's words, which engines and orchestrators match on, with a status code each: NotFound when there is
/// no such executable, PermissionDenied when it may not be executed, Internal with crun's own text otherwise. Seen with crun 1.8.1 and
/// 1.21.
/// </summary>
internal static class CrunErrors
{
    private const int TextLimit = 4 * 1024;
    private const int ProcessesOfExec = 2; // the process, and for a moment the one of crun that makes it

    /// <param name="log">crun's log, a text a line.</param>
    /// <param name="status">How crun ended, which is all that there is to tell of one that was killed.</param>
    /// <param name="command">The first word of the process, as the caller gave it.</param>
    /// <param name="action">What was tried, for the general case: "create the container 'x'".</param>
    public static RpcException Translate(string log, ExitStatus status, string command, string action)
    {
        string text = LastMessage(log);
        // "in $PATH" is between the two, or not.
        if (text.StartsWith("executable file `", StringComparison.Ordinal) && text.Contains("` not found", StringComparison.Ordinal))
        {
            return NoProgram(command);
        }

        // A directory gives "Operation not permitted" here; runc calls both the same.
        if (IsDenied(text))
        {
            return AgentException.Of(StatusCode.PermissionDenied, $"exec: \"{command}\": permission denied");
        }

        return AgentException.Failed($"Cannot {action}: {(text.Length > 0 ? text : $"crun ended with {status} and without a message")}");
    }

    /// <summary>There is no such executable.</summary>
    public static RpcException NoProgram(string command) => AgentException.Of(
        StatusCode.NotFound,
        command.Contains('/', StringComparison.Ordinal)
            ? $"exec: \"{command}\": stat {command}: no such file or directory"
            : $"exec: \"{command}\": executable file not found in $PATH");

    /// <summary>What a failure was when the container has no room for further processes; null when it was something else.</summary>
    /// <param name="error">As <see cref="Translate"/> made it.</param>
    /// <param name="limit">The container's <c>pids.max</c>.</param>
    /// <param name="current">Its <c>pids.current</c>.</param>
    /// <param name="action">What was tried.</param>
    public static RpcException? Shortage(RpcException error, string limit, string current, string action)
    {
        // "fail startup": the first of crun's two processes in the group was let in, and the second was not.
        string text = error.Status.Detail;
        return error.StatusCode == StatusCode.Internal
            && (text.EndsWith("fail startup", StringComparison.Ordinal)
                || text.EndsWith("Resource temporarily unavailable", StringComparison.Ordinal))
            && long.TryParse(limit, CultureInfo.InvariantCulture, out long most)
            && long.TryParse(current, CultureInfo.InvariantCulture, out long now)
            && now + ProcessesOfExec > most
                ? AgentException.Of(
                    StatusCode.ResourceExhausted,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Cannot {action}: the container has {now} processes of the {most} that its limit (pids) allows, "
                            + $"and to start one takes {ProcessesOfExec}. ")
                    + "End some, or raise the limit with 'update --pids-limit'; one that has ended counts until its parent waits for it")
                : null;
    }

    /// <summary>
    /// The last error in crun's log, one a line. Text and not JSON, as it is for people too: what crun says at the program's own execve(2)
    /// goes to the container's standard error.
    /// </summary>
    internal static string LastMessage(string log)
    {
        string last = log.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault("");
        return last.Length > TextLimit ? last[..TextLimit] : last;
    }

    private static bool IsDenied(string text) =>
        text.StartsWith("open executable: ", StringComparison.Ordinal)
            ? text.EndsWith("Permission denied", StringComparison.Ordinal)
                || text.EndsWith("Operation not permitted", StringComparison.Ordinal)
            : text.StartsWith("the path `", StringComparison.Ordinal) // 1.21
                && (text.Contains("` exists but it is not executable", StringComparison.Ordinal)
                    || text.Contains("` is not a regular file", StringComparison.Ordinal));
}
