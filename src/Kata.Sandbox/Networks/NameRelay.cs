using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>
/// Has programs of the guest ask the name server that is in the pod's network namespace, by which docker's containers know each other's
/// names.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle: nobody asks for one")]
internal sealed class NameRelay(NetworkNamespace space, AgentExtension.AgentExtensionClient agent, TimeProvider time)
{
    /// <summary>Resolvers ask again after five seconds.</summary>
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Questions at one time; more are the guest's own loss.</summary>
    private const int MaxOpen = 64;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private int _open;

    /// <summary>Relays until it is called off, or the guest ends the call.</summary>
    /// <exception cref="RpcException">The agent cannot: a program in the guest has the port.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using AsyncDuplexStreamingCall<NameAnswer, NameQuestion> call = agent.RelayNames(
            new CallOptions(cancellationToken: cancellationToken));
        await WriteAsync(call, new NameAnswer { Address = ByteString.CopyFrom(NameServer.Address) }, cancellationToken);
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
            if (Interlocked.Increment(ref _open) <= MaxOpen)
            {
                _ = AnswerAsync(call, call.ResponseStream.Current, cancellationToken); // ends with its answer, its limit or the call
            }
            else
            {
                Interlocked.Decrement(ref _open);
            }
        }
    }

    private async Task AnswerAsync(
        AsyncDuplexStreamingCall<NameAnswer, NameQuestion> call, NameQuestion question, CancellationToken cancellationToken)
    {
        try
        {
            var answer = new NameAnswer { Number = question.Number };
            // Ends early on: the call's end (cancellationToken), or the limit.
            using var limit = new CancellationTokenSource(s_answerTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                answer.Message = UnsafeByteOperations.UnsafeWrap(
                    await NameServer.AskAsync(space, question.Message.Memory, question.Stream, both.Token));
            }
            catch (Exception error) when (
                error is LinuxException or IOException or OverflowException or OperationCanceledException
                && !cancellationToken.IsCancellationRequested)
            {
                // No answer, which is one as well.
            }

            await WriteAsync(call, answer, cancellationToken);
        }
        catch (Exception error) when (
            error is OperationCanceledException or RpcException or ObjectDisposedException or IOException or InvalidOperationException)
        {
            // The call ends.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task WriteAsync(
        AsyncDuplexStreamingCall<NameAnswer, NameQuestion> call, NameAnswer answer, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await call.RequestStream.WriteAsync(answer, cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }
}
