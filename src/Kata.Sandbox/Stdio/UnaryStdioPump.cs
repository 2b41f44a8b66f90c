using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Standard streams over the common agent service, one call a chunk: slow, and the only way with a stock agent
/// (no <c>kata.agent.v1</c> feature).
/// </summary>
internal sealed class UnaryStdioPump : IStdioPump
{
    /// <summary>What stock runtimes ask for at a time.</summary>
    private const int ChunkSize = 32 * 1024;

    private readonly AgentService.AgentServiceClient _agent;
    private readonly string _container;
    private readonly string _exec;
    private readonly ProcessStdio _stdio;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _output;
    private readonly Task _error;
    private readonly Task _input;

    /// <summary>Starts the copies. Takes ownership of <paramref name="stdio"/>.</summary>
    public UnaryStdioPump(AgentService.AgentServiceClient agent, string container, string execId, ProcessStdio stdio)
    {
        (_agent, _container, _exec, _stdio) = (agent, container, execId.Length == 0 ? container : execId, stdio);
        // Each ends at the end of its stream, with the channel, or on _stopping.
        _output = CopyAsync(agent.ReadStdoutAsync, stdio.Output);
        _error = CopyAsync(agent.ReadStderrAsync, stdio.Error);
        _input = SendInputAsync();
        Drained = Task.WhenAll(_output, _error);
    }

    public Task Drained { get; }

    // Some agents tell the end of a stream as they tell the loss of a process.
    public Task ErrorClosed { get; } = Task.Delay(Timeout.Infinite, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_output, _error, _input).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stdio.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task CopyAsync(Func<ReadStreamRequest, CallOptions, AsyncUnaryCall<ReadStreamResponse>> read, Stream? target)
    {
        await using Stream? owned = target;
        var request = new ReadStreamRequest { ContainerId = _container, ExecId = _exec, Len = ChunkSize };
        var options = new CallOptions(cancellationToken: _stopping.Token);
        try
        {
            while (true)
            {
                using AsyncUnaryCall<ReadStreamResponse> call = read(request, options);
                ReadStreamResponse response = await call.ResponseAsync;
                if (response.Data.IsEmpty)
                {
                    return;
                }

                if (target is not null)
                {
                    await target.WriteAsync(response.Data.Memory, _stopping.Token);
                }
            }
        }
        catch (Exception error) when (
            error is RpcException or OperationCanceledException or IOException or LinuxException or ObjectDisposedException)
        {
            // The end of the stream comes as an error from some agents; a lost channel is reported by the waiter.
        }
    }

    private async Task SendInputAsync()
    {
        byte[] buffer = new byte[ChunkSize];
        try
        {
            while (_stdio.Input is { } input)
            {
                int count = await input.ReadAsync(buffer, _stopping.Token);
                if (count == 0)
                {
                    break;
                }

                for (int sent = 0; sent < count;)
                {
                    var request = new WriteStreamRequest
                    {
                        ContainerId = _container,
                        ExecId = _exec,
                        Data = ByteString.CopyFrom(buffer, sent, count - sent),
                    };
                    using AsyncUnaryCall<WriteStreamResponse> call = _agent.WriteStdinAsync(
                        request, new CallOptions(cancellationToken: _stopping.Token));
                    uint taken = (await call.ResponseAsync).Len;
                    if (taken == 0)
                    {
                        return; // an agent that takes nothing would have us ask for ever
                    }

                    sent += (int)Math.Min(taken, (uint)(count - sent));
                }
            }

            using AsyncUnaryCall<Google.Protobuf.WellKnownTypes.Empty> close = _agent.CloseStdinAsync(
                new CloseStdinRequest { ContainerId = _container, ExecId = _exec }, new CallOptions(cancellationToken: _stopping.Token));
            await close.ResponseAsync;
        }
        catch (Exception error) when (
            error is RpcException or OperationCanceledException or IOException or LinuxException or ObjectDisposedException)
        {
            // The caller's side of the input or the channel is gone; the process sees its end with it.
        }
    }
}
