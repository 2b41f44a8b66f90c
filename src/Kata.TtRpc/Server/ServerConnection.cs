using System.Diagnostics.CodeAnalysis;
using System.Text;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// One connection of a server: the read loop, the table of open calls, and the count of running handlers.
/// </summary>
/// <remarks>
/// The client is not trusted. What no client has a reason to send ends the connection: an even or reused stream id, data for a stream that
/// was never opened, a frame type other than request and data. Data for a stream that was open once is late (the call ended before the
/// client knew) and is dropped. Everything else is answered on its own stream. Answers that the read loop itself gives are awaited by it,
/// so a client that does not read them is not read from either.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "A source without a timer or a wait handle holds no resource")]
internal sealed class ServerConnection
{
    private const int LongestShownName = 128;

    private readonly Stream _stream;
    private readonly MethodTable _methods;
    private readonly FrameReader _reader;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, ServerCall> _calls = []; // guarded by _gate
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint _lastStreamId;
    private int _running = 1; // handlers, and the read loop itself
    private Exception? _writeFailure;

    public ServerConnection(Stream stream, MethodTable methods, TtRpcOptions options)
    {
        _stream = stream;
        _methods = methods;
        Options = options;
        _reader = new FrameReader(stream);
        Budget = new ReceiveBudget(options.MaxQueuedBytes);
        RequestBudget = new ReceiveBudget(options.MaxQueuedBytes);
        Sender = new FrameSender(stream, options.MaxMessageSize, OnWriteFailed, _closing.Token);
    }

    public TtRpcOptions Options { get; }

    /// <summary>For stream messages that wait to be read: the read loop waits with them.</summary>
    public ReceiveBudget Budget { get; }

    /// <summary>For the requests of running handlers: one more is refused.</summary>
    public ReceiveBudget RequestBudget { get; }

    public FrameSender Sender { get; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // Not on the thread of the caller: a stream may answer at once, for as long as it likes.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static source => ((CancellationTokenSource)source!).Cancel(), _closing);
        try
        {
            // Ends when the client closes, on a failure, or on _closing: a failed write or the caller.
            while (await _reader.ReadHeaderAsync(_closing.Token).ConfigureAwait(false) is { } header)
                await ReceiveFrameAsync(header, _closing.Token).ConfigureAwait(false);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception) when (_writeFailure is { } failure)
        {
            throw failure is IOException
                ? failure
                : new IOException($"Cannot serve a connection: {failure.Message}. Connect again", failure);
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The handler of a call has returned.</summary>
    public void OnHandlerDone()
    {
        if (Interlocked.Decrement(ref _running) == 0) _drained.TrySetResult();
    }

    public void Forget(uint streamId)
    {
        lock (_gate)
            _calls.Remove(streamId);
    }

    public async ValueTask SendStatusAsync(uint streamId, Status status, Metadata? trailers)
    {
        OutgoingFrame frame = Sender.Rent(FrameType.Response, FrameFlags.None);
        try
        {
            ResponseEnvelope.WriteStatus(frame, status, trailers);
        }
        catch (RpcException exception)
        {
            // The text of the error is itself too large.
            frame.Begin(FrameType.Response, FrameFlags.None);
            string detail = Options.MaxMessageSize >= 512 ? exception.Status.Detail : "";
            ResponseEnvelope.WriteStatus(frame, new Status(status.StatusCode, detail), null);
        }

        await Sender.SendAsync(frame, streamId, null, CancellationToken.None).ConfigureAwait(false);
    }

    private void OnWriteFailed(Exception exception)
    {
        Interlocked.CompareExchange(ref _writeFailure, exception, null);
        _closing.Cancel();
    }

    private async ValueTask CloseAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        ServerCall[] calls;
        lock (_gate)
            calls = [.. _calls.Values];

        foreach (ServerCall call in calls)
            call.Cancel();

        OnHandlerDone();
        await _drained.Task.ConfigureAwait(false);
    }

    private async ValueTask ReceiveFrameAsync(FrameHeader header, CancellationToken cancellationToken)
    {
        ServerCall? call = Find(header);
        if (header.Length > Options.MaxMessageSize)
        {
            await RefuseOversizedAsync(header, call, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (header.Type == FrameType.Request)
        {
            ReceivedBytes request = await _reader.ReadDataAsync((int)header.Length, cancellationToken).ConfigureAwait(false);
            if (Open(header, request) is { } refusal)
                await SendStatusAsync(header.StreamId, refusal, null).ConfigureAwait(false);
        }
        else if (call is null)
        {
            await _reader.DiscardAsync(header.Length, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            ReceivedBytes data = await _reader.ReadDataAsync((int)header.Length, cancellationToken).ConfigureAwait(false);
            if (call.Receive(header, data) is { } refusal && call.TryEnd())
            {
                call.Cancel();
                await SendStatusAsync(header.StreamId, refusal, null).ConfigureAwait(false);
            }
        }

        await Budget.WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask RefuseOversizedAsync(FrameHeader header, ServerCall? call, CancellationToken cancellationToken)
    {
        await _reader.DiscardAsync(header.Length, cancellationToken).ConfigureAwait(false);
        if (header.Type == FrameType.Data && (call is null || !call.TryEnd())) return;
        call?.Cancel();
        await SendStatusAsync(header.StreamId, new Status(
            StatusCode.ResourceExhausted,
            $"Cannot receive a message of {header.Length} bytes: the limit is {Options.MaxMessageSize} bytes. Send it in parts"), null)
            .ConfigureAwait(false);
    }

    /// <returns>The open call that data belongs to; null for a request and for late data.</returns>
    private ServerCall? Find(FrameHeader header)
    {
        if (header.Type is not (FrameType.Request or FrameType.Data))
            throw Violation(header, "a client sends only requests (1) and data (3)");
        if (header.StreamId % 2 == 0) throw Violation(header, "its stream id is even");

        if (header.Type == FrameType.Request)
        {
            if (header.StreamId <= _lastStreamId) throw Violation(header, $"stream ids must rise, and the last one was {_lastStreamId}");
            _lastStreamId = header.StreamId;
            return null;
        }

        if (header.StreamId > _lastStreamId) throw Violation(header, "no request opened that stream");
        lock (_gate)
            return _calls.GetValueOrDefault(header.StreamId);
    }

    /// <summary>Starts the call of a request and takes its data over.</summary>
    /// <returns>Why the request is refused, or null.</returns>
    private Status? Open(FrameHeader header, ReceivedBytes data)
    {
        ServerCall? call = null;
        try
        {
            if (!RequestEnvelope.TryParse(data.Span, out RequestEnvelope envelope))
            {
                return new Status(
                    StatusCode.InvalidArgument,
                    $"Cannot read the request: it is malformed or has more than {RequestEnvelope.MaxMetadataEntries} metadata entries. "
                    + "Check the client");
            }

            ReadOnlySpan<byte> service = data.Span.Slice(envelope.Service.Start, envelope.Service.Length);
            ReadOnlySpan<byte> name = data.Span.Slice(envelope.Method.Start, envelope.Method.Length);
            if (_methods.Find(service, name) is not { } method)
            {
                return new Status(
                    StatusCode.Unimplemented,
                    $"Cannot call '/{Shown(service)}/{Shown(name)}': this server has no such method. "
                    + "Check that both ends have the same version");
            }

            if (header.Flags.HasFlag(FrameFlags.RemoteOpen) && !method.HasRequestStream)
            {
                return new Status(
                    StatusCode.InvalidArgument,
                    $"Cannot call '{method.FullName}': it takes one request, not a stream. Check that both ends have the same version");
            }

            if (envelope.TimeoutNanoseconds < 0)
            {
                return new Status(
                    StatusCode.DeadlineExceeded, $"Cannot call '{method.FullName}': its deadline has passed. Allow more time");
            }

            if (Volatile.Read(ref _running) > Options.MaxConcurrentStreams || !RequestBudget.TryCharge(data.Length))
            {
                return new Status(
                    StatusCode.ResourceExhausted,
                    $"Cannot call '{method.FullName}': {Options.MaxConcurrentStreams} calls or {Options.MaxQueuedBytes} bytes of requests "
                    + "are open on this connection. Wait for some of them");
            }

            Metadata? headers = envelope.MetadataCount > 0 ? RequestEnvelope.ReadMetadata(data.Span) : null;
            call = method.CreateCall(this, new ServerRequest(
                header.StreamId, header.Flags, data, envelope.Payload, envelope.TimeoutNanoseconds, headers));
        }
        finally
        {
            if (call is null) data.Release();
        }

        Interlocked.Increment(ref _running);
        lock (_gate)
            _calls.Add(header.StreamId, call);

        ThreadPool.UnsafeQueueUserWorkItem(call, preferLocal: false);
        return null;
    }

    private static TtRpcProtocolException Violation(FrameHeader header, string cause) =>
        new($"Cannot accept a frame of type {(byte)header.Type} on stream {header.StreamId}: {cause}. "
            + "Check that the peer is a ttRPC client and nothing else writes to the connection");

    /// <summary>A name from the wire for a message: short, and without what could disturb a terminal or a log.</summary>
    private static string Shown(ReadOnlySpan<byte> name)
    {
        char[] text = Encoding.UTF8.GetChars(name[..Math.Min(name.Length, LongestShownName)].ToArray());
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is < ' ' or > '~') text[i] = '?';
        }

        return new string(text);
    }
}
