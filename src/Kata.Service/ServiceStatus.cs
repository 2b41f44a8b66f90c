using Grpc.Core;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>What a failure is called on the wire. The one place that decides; the text is the whole chain, outermost first.</summary>
internal static class ServiceStatus
{
    public static RpcException ToRpc(Exception error) => error as RpcException ?? new RpcException(new Status(CodeOf(error), TextOf(error)));

    /// <summary>Messages of the chain joined with ": ", a message that its predecessor quotes already left out.</summary>
    public static string TextOf(Exception error)
    {
        string text = error.Message;
        for (Exception? inner = error.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (!text.Contains(inner.Message, StringComparison.Ordinal))
            {
                text = $"{text}: {inner.Message}";
            }
        }

        return text;
    }

    private static StatusCode CodeOf(Exception error) => error switch
    {
        InvalidSpecException => StatusCode.InvalidArgument,
        SandboxStateException { Error: SandboxStateError.NotFound } => StatusCode.NotFound,
        SandboxStateException { Error: SandboxStateError.AlreadyExists } => StatusCode.AlreadyExists,
        SandboxStateException => StatusCode.FailedPrecondition,
        AgentException agent => agent.Code,
        OperationCanceledException => StatusCode.Cancelled,
        NotSupportedException => StatusCode.Unimplemented,
        LinuxException { Errno: Errno.ENOSPC } => StatusCode.ResourceExhausted,
        HypervisorException or LinuxException or IOException => StatusCode.Internal,
        _ => StatusCode.Unknown,
    };
}
