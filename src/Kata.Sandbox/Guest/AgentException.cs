using Grpc.Core;
using Kata.TtRpc;

namespace Kata.Sandbox;

/// <summary>The guest's agent refused a request, broke the protocol, or did not answer in time. Guest text in it is escaped.</summary>
internal sealed class AgentException : Exception
{
    internal AgentException(string action, RpcException cause)
        : this(action, cause.StatusCode, Describe(cause)) => IsUnanswered = TtRpcClient.IsOwnDeadline(cause);

    internal AgentException(string action, StatusCode code, string cause)
        : base(IsProgramError(code, cause) ? cause : $"Cannot {action}: {cause}") => Code = code;

    /// <summary>
    /// The agent's status. <see cref="StatusCode.NotFound"/> and <see cref="StatusCode.PermissionDenied"/> of a program are 127 and 126.
    /// </summary>
    public StatusCode Code { get; }

    /// <summary>Whether we waited no longer, and the agent had said nothing.</summary>
    public bool IsUnanswered { get; }

    /// <summary>Whether the container's program itself is at fault: then the text is runc's, word for word.</summary>
    public static bool IsProgramError(StatusCode code, string text) =>
        code is StatusCode.NotFound or StatusCode.PermissionDenied && text.StartsWith("exec: ", StringComparison.Ordinal);

    private static string Describe(RpcException cause) => cause.StatusCode switch
    {
        StatusCode.DeadlineExceeded when TtRpcClient.IsOwnDeadline(cause) =>
            "the guest's agent did not answer in time. See the pod's console.log; a slow host may need a longer request_timeout",
        StatusCode.Cancelled => "the call was called off",
        StatusCode.Unavailable => $"the channel to the guest's agent is gone: {GuestText.Escape(cause.Status.Detail)}",
        _ => GuestText.Escape(cause.Status.Detail),
    };
}
