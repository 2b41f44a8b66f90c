using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// One call of a server: what its handler sees of it, and its one end on the wire. As it is, one of a single request and response.
/// </summary>
/// <remarks>
/// <see cref="TryEnd"/> decides who answers: the handler's result, or the read loop when the client breaks the rules of the call. The
/// handler may outlive the call; the connection counts it until it returns.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "Disposed when the handler has returned, if it has a timer")]
internal class ServerCall : ServerCallContext, IThreadPoolWorkItem
{
    private readonly ServerRequest _request;
    private readonly long _started;
    private Metadata? _headers;
    private Metadata? _trailers;
    private ReceivedBytes _data; // the whole frame of the request
    private CancellationTokenSource? _cancellation;
    private CancellationToken _token;
    private Dictionary<object, object>? _userState;
    private Task? _running;
    private Task? _cancelling;
    private int _ended;
    private int _cancelled;
    private int _released;

    public ServerCall(ServerConnection connection, ServerMethod method, ServerRequest request)
    {
        Connection = connection;
        ServerMethod = method;
        _request = request;
        _data = request.Data;
        _headers = request.Headers;
        if (request.TimeoutNanoseconds == 0) return;

        _started = connection.Options.TimeProvider.GetTimestamp();
        if (Timeout.TotalMilliseconds < uint.MaxValue - 1)
        {
            _cancellation = new CancellationTokenSource(Timeout, connection.Options.TimeProvider);
            _token = _cancellation.Token;
        }

        DeadlineCore = connection.Options.TimeProvider.GetUtcNow().UtcDateTime is var now && Timeout < DateTime.MaxValue - now
            ? now + Timeout
            : DateTime.MaxValue;
    }

    protected ServerConnection Connection { get; }

    protected ServerMethod ServerMethod { get; }

    protected uint StreamId => _request.StreamId;

    protected bool HasEnded => Volatile.Read(ref _ended) != 0;

    protected override string MethodCore => ServerMethod.FullName;

    protected override string HostCore => "";

    protected override string PeerCore => "";

    protected override DateTime DeadlineCore { get; } = DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => _headers ??= [];

    protected override CancellationToken CancellationTokenCore => Token();

    protected override Metadata ResponseTrailersCore => _trailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore { get; } = new("", []);

    protected override IDictionary<object, object> UserStateCore => _userState ??= [];

    private TimeSpan Timeout => TimeSpan.FromTicks(Math.Max(1, _request.TimeoutNanoseconds / TimeSpan.NanosecondsPerTick));

    private bool DeadlinePassed =>
        _request.TimeoutNanoseconds > 0 && Connection.Options.TimeProvider.GetElapsedTime(_started) >= Timeout;

    public void Execute() => _running = RunAsync(); // ends with the handler; the connection awaits it by its count

    /// <summary>Called by the read loop; takes the data over.</summary>
    /// <returns>Why the call cannot go on, or null.</returns>
    public virtual Status? Receive(FrameHeader header, ReceivedBytes data)
    {
        data.Release();
        return new Status(
            StatusCode.InvalidArgument, "Cannot accept data for the call: its request was complete. Send data only on an open stream");
    }

    /// <summary>The single request of a call without a request stream; gives its frame back.</summary>
    public object TakeRequest()
    {
        object request = Read(_request.PayloadBytes);
        ReceivedBytes frame = _data;
        _data = ReceivedBytes.Empty;
        frame.Release();
        return request;
    }

    /// <returns>True for the one caller who is to send the end of the call.</returns>
    public bool TryEnd()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return false;
        Connection.Forget(StreamId);
        return true;
    }

    /// <summary>The call has no client any more. Callbacks of the handler's token run on the pool.</summary>
    public void Cancel()
    {
        if (Interlocked.Exchange(ref _cancelled, 1) != 0) return;
        AbandonRequests();
        CancelToken();
    }

    protected virtual void AbandonRequests()
    {
    }

    protected object Read(ReceivedBytes bytes)
    {
        try
        {
            return ServerMethod.ReadRequest(bytes.ToContext());
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"Cannot read the request of '{ServerMethod.FullName}': {exception.Message} Check the client"));
        }
    }

    /// <summary>Waits for a write as long as the handler's token lets it. The write itself goes on.</summary>
    protected Task ObserveAsync(ValueTask write)
    {
        if (write.IsCompletedSuccessfully) return Task.CompletedTask;
        Task task = write.AsTask();
        return _cancellation is null ? task : task.WaitAsync(_token);
    }

    protected CancellationToken Token()
    {
        CancellationTokenSource? source = Volatile.Read(ref _cancellation);
        if (source is null)
        {
            var created = new CancellationTokenSource();
            source = Interlocked.CompareExchange(ref _cancellation, created, null) ?? created;
            _token = source.Token;
            // Cancel() sets its mark first and looks for the source afterwards; here it is the other way round.
            if (Volatile.Read(ref _cancelled) != 0) CancelToken();
        }

        return source.Token;
    }

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) =>
        throw new NotSupportedException("Cannot send response headers: ttRPC has none. Put them into a message");

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("Cannot propagate a call's context: ttRPC does not do it. Pass deadline and token on");

    private void CancelToken()
    {
        try
        {
            _cancelling = Volatile.Read(ref _cancellation)?.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The handler has returned.
        }
    }

    private async Task RunAsync()
    {
        // A handler may read its stream without a token: the deadline ends that too.
        CancellationTokenRegistration deadline = _request.TimeoutNanoseconds > 0
            ? _token.UnsafeRegister(static call => ((ServerCall)call!).AbandonRequests(), this)
            : default;
        try
        {
            Task handler = ServerMethod.Start(this);
            await handler.ConfigureAwait(false);
            if (StatusCore.StatusCode != StatusCode.OK) throw new RpcException(StatusCore);
            await SendLastAsync(LastFrame(handler)).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await AnswerFailureAsync(exception).ConfigureAwait(false);
        }
        finally
        {
            deadline.Unregister();
            TryEnd();
            AbandonRequests();
            ReleaseRequest();
            if (_request.TimeoutNanoseconds > 0) _cancellation?.Dispose();
            Connection.OnHandlerDone();
        }
    }

    private OutgoingFrame LastFrame(Task handler)
    {
        if (ServerMethod.HasResponseStream) return Connection.Sender.Rent(FrameType.Data, FrameFlags.RemoteClosed | FrameFlags.NoData);
        OutgoingFrame frame = Connection.Sender.Rent(FrameType.Response, FrameFlags.None);
        try
        {
            frame.BeginMessage(ResponseEnvelope.PayloadField);
            ServerMethod.WriteResponse(ServerMethod.ResponseOf(handler), frame);
            frame.EndMessage();
            return frame;
        }
        catch
        {
            Connection.Sender.Return(frame);
            throw;
        }
    }

    private async ValueTask SendLastAsync(OutgoingFrame frame)
    {
        if (!TryEnd())
        {
            Connection.Sender.Return(frame);
            return;
        }

        try
        {
            await Connection.Sender.SendAsync(frame, StreamId, null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The connection has ended and says why itself.
        }
    }

    private void ReleaseRequest()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0) return;
        Connection.RequestBudget.Release(_request.Data.Length);
        _data.Release();
    }

    private async ValueTask AnswerFailureAsync(Exception exception)
    {
        (Status status, Metadata? trailers) = Classify(exception);
        if (!TryEnd()) return;
        try
        {
            await Connection.SendStatusAsync(StreamId, status, trailers).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The connection has ended and says why itself.
        }
    }

    private (Status Status, Metadata? Trailers) Classify(Exception exception)
    {
        switch (exception)
        {
            case RpcException { StatusCode: StatusCode.Unimplemented, Status.Detail: "" }: // a generated base method
                string missing = $"Cannot call '{ServerMethod.FullName}': this server does not implement it";
                return (new Status(StatusCode.Unimplemented, missing), null);
            case RpcException rpc when rpc.StatusCode != StatusCode.OK:
                return (rpc.Status, rpc.Trailers);
            case OperationCanceledException when DeadlinePassed:
                string late = $"Cannot go on with '{ServerMethod.FullName}': its deadline has passed. Allow more time";
                return (new Status(StatusCode.DeadlineExceeded, late), null);
            case OperationCanceledException:
                return (new Status(StatusCode.Cancelled, exception.Message), null);
            default:
                if (!HasEnded) Report(exception);
                return (new Status(StatusCode.Unknown, exception.Message), null);
        }
    }

    private void Report(Exception exception)
    {
        try
        {
            Connection.Options.HandlerFailed?.Invoke(ServerMethod.FullName, exception);
        }
        catch (Exception)
        {
            // Documented: a listener's own failure is ignored.
        }
    }
}
