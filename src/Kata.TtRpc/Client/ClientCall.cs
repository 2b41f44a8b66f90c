using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// One call of the client, from its request to its one end.
/// </summary>
/// <remarks>
/// Who can end a call: the server (response, last data), the caller (token, dispose), the deadline, the connection, a frame that does not
/// fit, a message that cannot be serialized. The first one wins; the others find the call ended and do nothing. Why the messages are
/// objects here: see <see cref="ServerMethod"/>.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "End() disposes what has a timer; the rest holds no resource")]
internal abstract partial class ClientCall(ClientConnection connection, MethodName method, CallOptions options) : IStreamStarter
{
    private readonly Lock _gate = new();
    private CallEnd? _end; // guarded by _gate
    private uint _streamId; // guarded by _gate
    private CancellationTokenSource? _ended; // guarded by _gate; cancelled at the end, for writes that wait
    private CancellationTokenSource? _deadline;
    private CancellationTokenRegistration _cancellation;
    private CancellationTokenRegistration _deadlineReached;
    private Task? _sending;

    protected bool HasEnded
    {
        get
        {
            lock (_gate)
                return _end is not null;
        }
    }

    public CallEnd RequireEnd()
    {
        lock (_gate)
        {
            return _end ?? throw new InvalidOperationException(
                "Cannot tell the status of a call: it has not ended. Await its response or read its stream to the end");
        }
    }

    public void Cancel(string reason) =>
        End(new CallEnd(new Status(StatusCode.Cancelled, $"Cannot go on with the call: {reason}. Call again if that was not meant")));

    /// <summary>The caller is not interested any more, whether the call has ended or not.</summary>
    public void Drop()
    {
        Cancel("the call was disposed");
        DropUnread();
    }

    public void End(CallEnd end)
    {
        uint streamId;
        CancellationTokenSource? ended;
        lock (_gate)
        {
            if (_end is not null) return;
            _end = end;
            streamId = _streamId;
            ended = _ended;
        }

        connection.Release(streamId);
        _cancellation.Unregister();
        _deadlineReached.Unregister();
        _deadline?.Dispose();
        OnEnd(end);
        ended?.Cancel();
    }

    public bool TryStart(out uint streamId)
    {
        CallEnd? refused = null;
        lock (_gate)
        {
            streamId = 0;
            if (_end is not null) return false;
            refused = connection.TryRegister(this, out streamId);
            if (refused is null)
            {
                _streamId = streamId;
                return true;
            }
        }

        End(refused);
        return false;
    }

    /// <summary>Called by the read loop; takes the data over.</summary>
    public abstract void Receive(FrameHeader header, ReceivedBytes data);

    /// <summary>Starts the clock and sends the request frame.</summary>
    /// <param name="flags">What follows it.</param>
    /// <param name="request">The message in it; null where messages only follow.</param>
    public void Start(FrameFlags flags, object? request)
    {
        if (connection.TryReserve() is { } refused)
        {
            End(refused);
            return;
        }

        if (!TryWatch(out long timeoutNanoseconds)) return;
        try
        {
            ValueTask sending = connection.Sender.SendAsync(RequestFrame(flags, request, timeoutNanoseconds), 0, this, Ended());
            if (!sending.IsCompletedSuccessfully) _sending = FollowAsync(sending);
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    protected abstract void WriteRequest(object message, SerializationContext context);

    protected abstract object ReadResponse(DeserializationContext context);

    protected abstract void OnEnd(CallEnd end);

    /// <summary>Frees what was received and nobody will read; it would count against the connection's limit.</summary>
    protected virtual void DropUnread()
    {
    }

    /// <summary>Ends the call with what went wrong at this side.</summary>
    protected void Fail(Exception exception) => End(exception switch
    {
        RpcException rpc => new CallEnd(rpc.Status, rpc.Trailers),
        IOException => new CallEnd(new Status(StatusCode.Unavailable, exception.Message, exception)),
        _ => new CallEnd(new Status(StatusCode.Internal, exception.Message, exception)),
    });

    protected void FailProtocol(string cause) => End(new CallEnd(new Status(
        StatusCode.Internal, $"Cannot understand the server's answer: {cause}. Check that both ends agree on the service")));

    /// <summary>A token that is cancelled when the call ends.</summary>
    private CancellationToken Ended()
    {
        lock (_gate)
        {
            if (_end is not null) return new CancellationToken(canceled: true);
            return (_ended ??= new CancellationTokenSource()).Token;
        }
    }

    private async Task FollowAsync(ValueTask sending)
    {
        try
        {
            await sending.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // A cancelled wait means that the call has ended, and then this does nothing.
            Fail(exception);
        }
    }

    /// <returns>False when the time is up already.</returns>
    private bool TryWatch(out long timeoutNanoseconds)
    {
        timeoutNanoseconds = 0;
        if (options.Deadline is { } deadline && deadline != DateTime.MaxValue)
        {
            TimeSpan left = deadline.ToUniversalTime() - connection.Options.TimeProvider.GetUtcNow().UtcDateTime;
            if (left <= TimeSpan.Zero)
            {
                EndAtDeadline();
                return false;
            }

            timeoutNanoseconds = connection.Options.TellsDeadlines && left.Ticks <= long.MaxValue / TimeSpan.NanosecondsPerTick
                ? left.Ticks * TimeSpan.NanosecondsPerTick
                : 0;
            if (left.TotalMilliseconds < uint.MaxValue - 1)
            {
                _deadline = new CancellationTokenSource(left, connection.Options.TimeProvider);
                _deadlineReached = _deadline.Token.UnsafeRegister(static call => ((ClientCall)call!).EndAtDeadline(), this);
            }
        }

        if (options.CancellationToken.CanBeCanceled)
        {
            _cancellation = options.CancellationToken.UnsafeRegister(
                static call => ((ClientCall)call!).Cancel("the caller cancelled it"), this);
        }

        if (!HasEnded) return true;
        _cancellation.Unregister();
        return false;
    }

    private void EndAtDeadline() => End(new CallEnd(new Status(StatusCode.DeadlineExceeded, TtRpcClient.DeadlineText)));
}
