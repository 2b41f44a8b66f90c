using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// The client's read loop and its table of open calls.
/// </summary>
/// <remarks>
/// The server is not trusted. A frame for an id that was never given out, for an even id or of a type that only clients send ends the
/// connection. A frame for an id that was given out and is not open is late (its call was cancelled, or answered already) and is dropped.
/// Everything else that is wrong with a frame ends its call only.
/// </remarks>
internal sealed class ClientConnection : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly FrameReader _reader;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, ClientCall> _calls = []; // guarded by _gate
    private uint _nextStreamId = 1; // guarded by _gate; 0 when all are used
    private CallEnd? _closed; // guarded by _gate
    private Exception? _failure; // guarded by _gate
    private int _openCalls;

    public ClientConnection(Stream stream, TtRpcOptions options)
    {
        _stream = stream;
        Options = options;
        _reader = new FrameReader(stream);
        Budget = new ReceiveBudget(options.MaxQueuedBytes);
        Sender = new FrameSender(stream, options.MaxMessageSize, Fail, _closing.Token);
        Completion = ReceiveAsync(_closing.Token); // ends when the peer closes, on a failure, or on _closing
    }

    public TtRpcOptions Options { get; }

    public ReceiveBudget Budget { get; }

    public FrameSender Sender { get; }

    public Task Completion { get; }

    public bool IsClosed
    {
        get
        {
            lock (_gate)
                return _closed is not null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        var disposed = new Status(StatusCode.Cancelled, "Cannot go on with the call: the client was disposed. Keep it until its calls end");
        Close(new CallEnd(disposed), null);
        await _closing.CancelAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <returns>How the call failed, or null when it may go on. Each success is undone by <see cref="Release"/>.</returns>
    public CallEnd? TryReserve()
    {
        if (Interlocked.Increment(ref _openCalls) <= Options.MaxConcurrentStreams)
        {
            lock (_gate)
                return _closed;
        }

        return new CallEnd(new Status(
            StatusCode.ResourceExhausted,
            $"Cannot start a call: {Options.MaxConcurrentStreams} are open on this connection. End some, or raise MaxConcurrentStreams"));
    }

    /// <summary>Called with the turn to write, so ids rise in the order of the wire.</summary>
    public CallEnd? TryRegister(ClientCall call, out uint streamId)
    {
        lock (_gate)
        {
            streamId = _nextStreamId;
            if (_closed is not null) return _closed;
            if (_nextStreamId == 0)
            {
                return new CallEnd(new Status(
                    StatusCode.Unavailable, "Cannot start a call: the connection has used all its stream ids. Connect again"));
            }

            _calls.Add(streamId, call);
            _nextStreamId = unchecked(_nextStreamId + 2) == 1 ? 0 : _nextStreamId + 2;
            return null;
        }
    }

    /// <summary>Forgets a call that has ended; what still arrives for it is dropped.</summary>
    public void Release(uint streamId)
    {
        Interlocked.Decrement(ref _openCalls);
        if (streamId == 0) return;
        lock (_gate)
            _calls.Remove(streamId);
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        // Not on the thread of the constructor: a stream may answer at once, for as long as it likes.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (await _reader.ReadHeaderAsync(cancellationToken).ConfigureAwait(false) is { } header)
            {
                await ReceiveFrameAsync(header, cancellationToken).ConfigureAwait(false);
            }

            Close(Lost("the peer closed the connection"), null);
        }
        catch (Exception exception)
        {
            Fail(exception);
        }

        await _stream.DisposeAsync().ConfigureAwait(false);
        Exception? failure;
        lock (_gate)
            failure = _failure;

        if (failure is not null) throw failure;
    }

    private async ValueTask ReceiveFrameAsync(FrameHeader header, CancellationToken cancellationToken)
    {
        ClientCall? call = Find(header);
        if (header.Length > Options.MaxMessageSize)
        {
            call?.End(new CallEnd(new Status(
                StatusCode.ResourceExhausted,
                $"Cannot receive a message of {header.Length} bytes: the limit is {Options.MaxMessageSize} bytes. "
                + "Ask for less at once, or raise MaxMessageSize")));
            call = null;
        }

        if (call is null)
        {
            await _reader.DiscardAsync(header.Length, cancellationToken).ConfigureAwait(false);
            return;
        }

        ReceivedBytes data = await _reader.ReadDataAsync((int)header.Length, cancellationToken).ConfigureAwait(false);
        call.Receive(header, data);
        await Budget.WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <returns>Null for a late frame.</returns>
    private ClientCall? Find(FrameHeader header)
    {
        if (header.Type is not (FrameType.Response or FrameType.Data))
            throw Violation(header, "a server sends only responses (2) and data (3)");

        lock (_gate)
        {
            if (_calls.TryGetValue(header.StreamId, out ClientCall? call)) return call;
            if (header.StreamId % 2 == 0) throw Violation(header, "its stream id is even");
            if (_nextStreamId != 0 && header.StreamId >= _nextStreamId) throw Violation(header, "no call has that stream id yet");
            return null;
        }
    }

    private static TtRpcProtocolException Violation(FrameHeader header, string cause) =>
        new($"Cannot accept a frame of type {(byte)header.Type} on stream {header.StreamId}: {cause}. "
            + "Check that the peer is a ttRPC server and nothing else writes to the connection");

    private static CallEnd Lost(string reason) =>
        new(new Status(StatusCode.Unavailable, $"Cannot go on with the call: {reason}. Connect again"));

    private void Fail(Exception exception) => Close(
        new CallEnd(new Status(StatusCode.Unavailable, $"Cannot go on with the call: {exception.Message}", exception)), exception);

    /// <summary>The first reason stays. Ends the read loop and all calls.</summary>
    private void Close(CallEnd end, Exception? failure)
    {
        ClientCall[] calls;
        lock (_gate)
        {
            if (_closed is not null) return;
            _closed = end;
            _failure = failure;
            calls = [.. _calls.Values];
        }

        foreach (ClientCall call in calls)
            call.End(end);

        // Callbacks of this token are only those of pending reads and writes.
        _closing.Cancel();
    }
}
