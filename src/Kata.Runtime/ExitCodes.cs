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

    public static int Of(Exception error) => error is RpcException rpc && rpc.Status.Detail.StartsWith("exec: ", StringComparison.Ordinal)
        ? rpc.StatusCode switch
        {
            StatusCode.NotFound => NotFound,
            StatusCode.PermissionDenied => NotExecutable,
            _ => Failure,
        }
        : Failure;

    /// <summary>The text for people: of a service's failure what the service said, else the whole chain.</summary>
    public static string TextOf(Exception error) => error is RpcException rpc
        ? rpc.Status.Detail.Length > 0 ? rpc.Status.Detail : $"the pod's service answered {rpc.StatusCode}"
        : ServiceStatus.TextOf(error);
}
