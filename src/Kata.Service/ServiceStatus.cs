using Grpc.Core;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Network;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Storage;

namespace Kata.Service;

/// <summary>What a failure is called on the wire. The one place that decides; the text is the whole chain, outermost first.</summary>
internal static class ServiceStatus
{
    public static RpcException ToRpc(Exception error) =>
        error as RpcException ?? new RpcException(new Status(CodeOf(error), TextOf(error)));

    /// <summary>Does the work of one call.</summary>
    /// <exception cref="RpcException">It failed: the wire knows only statuses.</exception>
    public static async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) // a border
        {
            throw ToRpc(error);
        }
    }

    /// <summary>Messages of the chain joined with ": ", a message that its predecessor quotes already left out.</summary>
    public static string TextOf(Exception error)
    {
        string text = MessageOf(error);
        for (Exception? inner = InnerOf(error); inner is not null; inner = InnerOf(inner))
        {
            string message = MessageOf(inner);
            if (!text.Contains(message, StringComparison.Ordinal))
            {
                text = $"{text}: {message}";
            }
        }

        return text;
    }

    // A wrong specification says all of it itself; what revealed it speaks of .NET's reader. So does a call of .NET's own.
    private static Exception? InnerOf(Exception error) =>
        error is InvalidSpecException || FileErrors.TextOf(error) is not null ? null : error.InnerException;

    private static string MessageOf(Exception error) => FileErrors.TextOf(error) ?? OneLine(error);

    // .NET puts the object's name or the value on a line of its own; our own line ends are the guest's console.
    private static string OneLine(Exception error) =>
        error is ObjectDisposedException or ArgumentException ? error.Message.ReplaceLineEndings(" ") : error.Message;

    private static StatusCode CodeOf(Exception error) => error switch
    {
        InvalidSpecException or ArgumentException => StatusCode.InvalidArgument,
        SandboxStateException { Error: SandboxStateError.NotFound } => StatusCode.NotFound,
        SandboxStateException { Error: SandboxStateError.AlreadyExists } => StatusCode.AlreadyExists,
        NetworkException { Error: NetworkError.NotFound } => StatusCode.NotFound,
        NetworkException { Error: NetworkError.AlreadyExists } => StatusCode.AlreadyExists,
        SandboxStateException or StorageException or NetworkException => StatusCode.FailedPrecondition,
        AgentException agent => agent.Code,
        OperationCanceledException => StatusCode.Cancelled,
        NotSupportedException => StatusCode.Unimplemented,
        LinuxException { Errno: Errno.ENOSPC } => StatusCode.ResourceExhausted,
        IOException or UnauthorizedAccessException when FileErrors.Of(error) is Errno.ENOSPC => StatusCode.ResourceExhausted,
        HookException or HypervisorException or LinuxException or IOException or UnauthorizedAccessException => StatusCode.Internal,
        _ => StatusCode.Unknown,
    };
}
