using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;

namespace Kata.Agent.Stdio;

/// <summary>
/// Serves one Stdio call. Constraints: bytes are never dropped or reordered, a slow host slows only this process, and the host
/// learns by <c>drained</c> that nothing more of the ended process will come.
/// </summary>
/// <remarks>
/// Three loops run side by side: frames from the host, stdout, stderr; a fourth writes stdin, so that a process that does not
/// read its input never holds up credits. Frames to the host go out one at a time.
/// </remarks>
internal sealed class StdioSession : IDisposable
{
    internal const uint InitialStdinCredit = 1024 * 1024;
    // The protocol allows 128 KiB; with its frame around it, this still fits a pooled buffer of that size.
    internal const int MaxData = 112 * 1024;
    private const int GrantBatch = 256 * 1024;
    private const long CreditLimit = 1L << 40; // the host's window is its own to choose; beyond this it is not counting

    private readonly ProcessStdio _stdio;
    private readonly Task _exited;
    private readonly IAsyncStreamReader<StdioToGuest> _requests;
    private readonly IAsyncStreamWriter<StdioFromGuest> _responses;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ByteCredit _outputCredit;
    private readonly ByteCredit _errorCredit;
    private readonly ByteCredit _stdinCredit = new(InitialStdinCredit, InitialStdinCredit);

    // Not bounded by count but by bytes: the host may send only what was granted.
    private readonly Channel<ByteString> _stdin = Channel.CreateUnbounded<ByteString>(new() { SingleReader = true, SingleWriter = true });

    /// <param name="stdio">Borrowed; must be attached to nobody else.</param>
    /// <param name="exited">Completes when the process has ended.</param>
    /// <param name="open">The call's first frame.</param>
    /// <param name="requests">The frames after it.</param>
    /// <param name="responses">Where to answer.</param>
    public StdioSession(
        ProcessStdio stdio, Task exited, StdioOpen open, IAsyncStreamReader<StdioToGuest> requests,
        IAsyncStreamWriter<StdioFromGuest> responses)
    {
        _stdio = stdio;
        _exited = exited;
        _requests = requests;
        _responses = responses;
        _outputCredit = new ByteCredit(CreditLimit, open.StdoutCredit);
        _errorCredit = new ByteCredit(CreditLimit, open.StderrCredit);
    }

    /// <summary>Returns when both outputs have ended and the process too.</summary>
    /// <exception cref="RpcException">The host broke the protocol.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // Ends early on: the caller (cancellationToken), or here, when the outputs are done or one loop failed.
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await SendAsync(new StdioFromGuest { StdinCredit = InitialStdinCredit }, done.Token);

        Task incoming = ReceiveAsync(done.Token);
        Task input = WriteStdinAsync(done.Token);
        Task outgoing = Task.WhenAll(
            PumpAsync(_stdio.Output, _outputCredit, isError: false, done.Token),
            PumpAsync(_stdio.Error, _errorCredit, isError: true, done.Token),
            ReportDrainedAsync(done.Token));
        try
        {
            Task first = await Task.WhenAny(outgoing, StopOnFailure(incoming), StopOnFailure(input));
            await first;
            await outgoing;
        }
        finally
        {
            await done.CancelAsync();
            // The first error is the one that counts.
            await Task.WhenAll(outgoing, incoming, input).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _sending.Dispose();

    // The host may close its side, and stdin may end, long before the outputs do: only their failure ends the session.
    private static async Task StopOnFailure(Task task)
    {
        await task;
        await Task.Delay(Timeout.InfiniteTimeSpan, CancellationToken.None);
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await _requests.MoveNext(cancellationToken))
        {
            StdioToGuest frame = _requests.Current;
            switch (frame.FrameCase)
            {
                case StdioToGuest.FrameOneofCase.Stdin when frame.Stdin.IsEmpty:
                    break;
                case StdioToGuest.FrameOneofCase.Stdin:
                    if (!_stdinCredit.TryTake(frame.Stdin.Length))
                    {
                        throw AgentException.Of(
                            StatusCode.ResourceExhausted,
                            "Cannot take standard input: the frame exceeds the granted credit. Wait for stdin_credit");
                    }

                    _stdin.Writer.TryWrite(frame.Stdin); // false after stdin_eof: what follows has nowhere to go
                    break;
                case StdioToGuest.FrameOneofCase.StdinEof:
                    _stdin.Writer.TryComplete();
                    break;
                case StdioToGuest.FrameOneofCase.StdoutCredit:
                    _outputCredit.Grant(frame.StdoutCredit);
                    break;
                case StdioToGuest.FrameOneofCase.StderrCredit:
                    _errorCredit.Grant(frame.StderrCredit);
                    break;
                case StdioToGuest.FrameOneofCase.StdoutClosed:
                    _stdio.Output?.Dispose(); // its last reader: the process gets SIGPIPE or EPIPE, as from any pipe
                    break;
                case StdioToGuest.FrameOneofCase.StderrClosed:
                    _stdio.Error?.Dispose();
                    break;
                default:
                    throw AgentException.Invalid($"Cannot take the stdio frame '{frame.FrameCase}': 'open' comes once and first");
            }
        }
    }

    private async Task WriteStdinAsync(CancellationToken cancellationToken)
    {
        int owed = 0;
        await foreach (ByteString data in _stdin.Reader.ReadAllAsync(cancellationToken))
        {
            if (_stdio.Input is { } input)
            {
                _ = await input.WriteAsync(data.Memory, cancellationToken); // to a process that no longer reads: dropped, as a pipe would
            }

            owed += data.Length;
            if (owed >= GrantBatch || !_stdin.Reader.TryPeek(out _))
            {
                _stdinCredit.Grant((uint)owed);
                await SendAsync(new StdioFromGuest { StdinCredit = (uint)owed }, cancellationToken);
                owed = 0;
            }
        }

        _stdio.Input?.Close();
    }

    private async Task PumpAsync(OutputChannel? source, ByteCredit credit, bool isError, CancellationToken cancellationToken)
    {
        if (source is not null)
        {
            await source.Turn.WaitAsync(cancellationToken);
            try
            {
                await CopyAsync(source, credit, isError, cancellationToken);
            }
            finally
            {
                source.Turn.Release();
            }
        }

        await SendAsync(isError ? new StdioFromGuest { StderrEof = true } : new StdioFromGuest { StdoutEof = true }, cancellationToken);
        source?.Delivered(0);
    }

    private async Task CopyAsync(OutputChannel source, ByteCredit credit, bool isError, CancellationToken cancellationToken)
    {
        byte[]? buffer = null;
        while (true)
        {
            int room = await credit.WaitAsync(MaxData, cancellationToken);
            // Small until there is much to say: most processes write little, and there are thousands of them.
            buffer ??= new byte[Math.Min(room, 16 * 1024)];
            int count = await source.ReadAsync(buffer.AsMemory(0, Math.Min(room, buffer.Length)), cancellationToken);
            if (count == 0)
            {
                return;
            }

            credit.TryTake(count);
            // The message is on the wire when the send returns, so the buffer can be used again.
            ByteString data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, count));
            await SendAsync(isError ? new StdioFromGuest { Stderr = data } : new StdioFromGuest { Stdout = data }, cancellationToken);
            source.Delivered(count);
            if (count == buffer.Length && buffer.Length < MaxData)
            {
                buffer = new byte[MaxData];
            }
        }
    }

    private async Task ReportDrainedAsync(CancellationToken cancellationToken)
    {
        await _exited.WaitAsync(cancellationToken);
        var drained = Task.WhenAll(_stdio.Output?.Drained ?? Task.CompletedTask, _stdio.Error?.Drained ?? Task.CompletedTask);
        await drained.WaitAsync(cancellationToken);
        await SendAsync(new StdioFromGuest { Drained = new StdioDrained() }, cancellationToken);
    }

    private async Task SendAsync(StdioFromGuest frame, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await _responses.WriteAsync(frame, cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }
}
