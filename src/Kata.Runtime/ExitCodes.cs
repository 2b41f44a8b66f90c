using Grpc.Core;
using Kata.Service;

namespace Kata.Runtime;

/// <summary>What a command's failure is called to the shell: the one place that decides.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>Any failure that has no number of its own; runc's too.</summary>
    public const int Failure = 1;

    /// <summary>A missing dependency, as in <c>make demo</c>.</summary>
    public const int Unusable = 2;

    /// <summary>The container's program exists and cannot be executed.</summary>
    public const int NotExecutable = 126;

    /// <summary>The container's program does not exist.</summary>
    public const int NotFound = 127;

    /// <summary>A failure of <c>exec</c> itself, as with runc: 1 would pass for the program's own status.</summary>
    public const int ExecFailure = 255;

    /// <param name="error">Why the command failed.</param>
    /// <param name="command">The command's name.</param>
    public static int Of(Exception error, string command) =>
        error is RpcException rpc && rpc.Status.Detail.StartsWith("exec: ", StringComparison.Ordinal)
            ? rpc.StatusCode switch
            {
                StatusCode.NotFound => NotFound,
                StatusCode.PermissionDenied => NotExecutable,
                _ => OwnOf(command),
            }
            : OwnOf(command);

    private static int OwnOf(string command) => command == "exec" ? ExecFailure : Failure;

    /// <summary>The text for people: of a service's failure what the service said, else the whole chain.</summary>
    public static string TextOf(Exception error) => error is RpcException rpc
        ? rpc.Status.Detail.Length > 0 ? rpc.Status.Detail : $"the pod's service answered {rpc.StatusCode}"
        : ServiceStatus.TextOf(error);
}
