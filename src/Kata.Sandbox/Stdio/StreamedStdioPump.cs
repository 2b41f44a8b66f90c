using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Standard streams over our agent's <c>Stdio</c> call: one duplex stream for each process, with credits in both directions, because
/// ttRPC has no flow control of its own.
/// </summary>
internal sealed class StreamedStdioPump : IStdioPump
{
    /// <summary>
    /// Output the guest may have in flight for each stream: enough to keep the channel busy, small enough for a thousand pods.
    /// </summary>
    private const uint OutputWindow = 1024 * 1024;

    /// <summary>Of the buffer for input, which doubles when a read fills it: most containers wait for input that never comes.</summary>
    private const int FirstInputChunk = 4 * 1024;

    private const int InputChunk = 64 * 1024;

    /// <summary>Input that the guest may let be in flight: it grants 1 MiB, and one with a larger window is still no attack.</summary>
    private const long InputCreditLimit = 64L * 1024 * 1024;

    /// <summary>For the last frames, to a channel that nobody may read any more.</summary>
    private static readonly TimeSpan s_farewellTimeout = TimeSpan.FromSeconds(1);

    private readonly AsyncDuplexStreamingCall<StdioToGuest, StdioFromGuest> _call;
    private readonly SemaphoreSlim _sending = new(1, 1); // a request stream takes one write at a time
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _errorClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ByteCredit _inputCredit = new(InputCreditLimit);
    private readonly ProcessStdio _stdio;
    private readonly OutputQueue _output;
    private readonly OutputQueue _error;
    private readonly Task _receiveLoop;
    private readonly Task _inputLoop;
    private Task? _flush; // from the one 'drained' on
    private Task? _closing; // from the one end of standard error on

    private readonly Action<string> _violated;

    /// <summary>
    /// Opens the streams. Takes ownership of <paramref name="stdio"/>; <paramref name="violated"/> learns how the agent broke the protocol.
    /// </summary>
    public StreamedStdioPump(
        AgentExtension.AgentExtensionClient agent, string containerId, string execId, ProcessStdio stdio, Action<string> violated)
    {
        (_stdio, _violated) = (stdio, violated);
        _call = agent.Stdio(new CallOptions(cancellationToken: _stopping.Token));
        _output = new OutputQueue(
            stdio.Output, OutputWindow, bytes => TrySendAsync(new StdioToGuest { StdoutCredit = bytes }),
            () => TrySendAsync(new StdioToGuest { StdoutClosed = true }));
        _error = new OutputQueue(
            stdio.Error, OutputWindow, bytes => TrySendAsync(new StdioToGuest { StderrCredit = bytes }),
            () => TrySendAsync(new StdioToGuest { StderrClosed = true }));
        var open = new StdioOpen { ContainerId = containerId, ExecId = execId, StdoutCredit = OutputWindow, StderrCredit = OutputWindow };
        _receiveLoop = ReceiveAsync(open); // ends when the guest ends the call, the channel is lost, or on _stopping
        _inputLoop = SendInputAsync(); // ends at the end of the input, with the receive loop, or on _stopping
    }

    public Task Drained => _drained.Task;

    public Task ErrorClosed => _errorClosed.Task;

    public async ValueTask DisposeAsync()
    {
        await TellGoneAsync();
        await _stopping.CancelAsync();
        // The queues first: a flush waits for their reader, who may never read again.
        await _output.DisposeAsync();
        await _error.DisposeAsync();
        await Task.WhenAll(_receiveLoop, _inputLoop, _flush ?? Task.CompletedTask, _closing ?? Task.CompletedTask)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stdio.DisposeAsync();
        _call.Dispose();
        _sending.Dispose();
        _stopping.Dispose();
    }

    // A process that lives on and has the streams is to see that nobody reads them any more. ttRPC does not tell of a call given up.
    private async Task TellGoneAsync()
    {
        if (!_receiveLoop.IsCompleted)
        {
            using var limit = new CancellationTokenSource(s_farewellTimeout);
            await TrySendAsync(new StdioToGuest { StdoutClosed = true }, limit.Token);
            await TrySendAsync(new StdioToGuest { StderrClosed = true }, limit.Token);
        }
    }

    private async Task ReceiveAsync(StdioOpen open)
    {
        try
        {
            await SendAsync(new StdioToGuest { Open = open });
            while (await _call.ResponseStream.MoveNext(_stopping.Token))
            {
                Handle(_call.ResponseStream.Current);
            }
        }
        catch (InvalidDataException error)
        {
            _violated(error.Message); // it loses its sandbox for it
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException or IOException)
        {
            // The channel's loss is reported by whoever waits for the process; here it only ends the streams.
        }
        finally
        {
            _output.Complete();
            _error.Complete();
            await Task.WhenAny(Task.WhenAll(_output.Completion, _error.Completion), Task.Delay(Timeout.Infinite, _stopping.Token));
            _drained.TrySetResult();
            await _stopping.CancelAsync(); // the input has nobody to go to any more
        }
    }

    private void Handle(StdioFromGuest frame)
    {
        switch (frame.FrameCase)
        {
            case StdioFromGuest.FrameOneofCase.StdinCredit:
                _inputCredit.Grant(frame.StdinCredit);
                break;
            case StdioFromGuest.FrameOneofCase.Stdout:
                _output.Accept(frame.Stdout.Memory);
                break;
            case StdioFromGuest.FrameOneofCase.Stderr:
                _error.Accept(frame.Stderr.Memory);
                break;
            case StdioFromGuest.FrameOneofCase.StdoutEof:
                _output.Complete();
                break;
            case StdioFromGuest.FrameOneofCase.StderrEof:
                Once(_closing, "the end of standard error");
                _error.Complete();
                _closing = CloseErrorAsync(); // ends when its reader has taken everything
                break;
            case StdioFromGuest.FrameOneofCase.Drained:
                Once(_flush, "'drained'");
                _flush = FlushAsync();
                break;
            default:
                break; // a later protocol's frame
        }
    }

    // Each waits for a reader who may never read: a guest that repeats itself would pile them up.
    private static void Once(Task? before, string what)
    {
        if (before is not null)
        {
            throw new InvalidDataException($"the guest sent {what} twice");
        }
    }

    private async Task FlushAsync()
    {
        await Task.WhenAll(_output.FlushAsync(), _error.FlushAsync()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _drained.TrySetResult();
    }

    private async Task CloseErrorAsync()
    {
        await _error.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _errorClosed.TrySetResult();
    }

    private async Task SendInputAsync()
    {
        try
        {
            if (_stdio.Input is { } input)
            {
                byte[] buffer = new byte[FirstInputChunk];
                while (true)
                {
                    int credit = await _inputCredit.WaitAsync(buffer.Length, _stopping.Token);
                    int count = await input.ReadAsync(buffer.AsMemory(0, credit), _stopping.Token);
                    if (count == 0)
                    {
                        break;
                    }

                    _inputCredit.TryTake(count); // nobody else takes any
                    await SendAsync(new StdioToGuest { Stdin = ByteString.CopyFrom(buffer, 0, count) });
                    if (count == buffer.Length && count < InputChunk)
                    {
                        buffer = new byte[2 * count];
                    }
                }
            }

            await SendAsync(new StdioToGuest { StdinEof = true });
        }
        catch (Exception error) when (
            error is RpcException or OperationCanceledException or IOException or LinuxException or ObjectDisposedException)
        {
            // The caller's side of the input or the channel is gone; the process sees its end with the call.
        }
    }

    // The guest may have ended the call while its output is still on the way to the reader: nobody needs the credit, and the rest
    // must be written all the same.
    private Task TrySendAsync(StdioToGuest frame) => TrySendAsync(frame, _stopping.Token);

    private async Task TrySendAsync(StdioToGuest frame, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(frame, cancellationToken);
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException or IOException or InvalidOperationException)
        {
            // the end of the call is the receive loop's to see
        }
    }

    private Task SendAsync(StdioToGuest frame) => SendAsync(frame, _stopping.Token);

    private async Task SendAsync(StdioToGuest frame, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await _call.RequestStream.WriteAsync(frame, cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }
}
