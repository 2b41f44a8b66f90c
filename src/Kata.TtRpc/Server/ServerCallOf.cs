using Google.Protobuf;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A call with its types; it is its own reader of requests and writer of responses.</summary>
internal sealed class ServerCall<TRequest, TResponse> : ServerCall, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly ServerMethod<TRequest, TResponse> _method;
    private readonly StreamInbox? _inbox;
    private readonly int _charged;
    private ReceivedBytes _request;
    private int _released;
    private bool _remoteClosed; // only the read loop uses it after the constructor
    private TRequest? _current;

    public ServerCall(ServerConnection connection, ServerMethod<TRequest, TResponse> method, ServerRequest request)
        : base(connection, method.FullName, request)
    {
        _method = method;
        _request = request.Data;
        _charged = request.Data.Length;
        RequestBytes = request.PayloadBytes;
        _remoteClosed = !request.IsOpen;
        if (!method.HasRequestStream) return;

        _inbox = new StreamInbox(connection.Budget);
        // A request frame may carry the first message. A client that knows no streams sends its only message so, even an empty one.
        if (RequestBytes.Length > 0 || request.Flags == FrameFlags.None)
        {
            byte[] copy = FrameBuffers.Rent(RequestBytes.Length);
            RequestBytes.Span.CopyTo(copy);
            _inbox.Add(new ReceivedBytes(copy, 0, RequestBytes.Length));
        }

        if (_remoteClosed) _inbox.Complete(null);
    }

    public TRequest Current =>
        _current ?? throw new InvalidOperationException("Cannot give the current message: there is none. Call MoveNext first");

    private ReceivedBytes RequestBytes { get; }

    /// <summary>The single request of a call without a request stream; gives its frame back.</summary>
    public TRequest TakeRequest()
    {
        TRequest request = Deserialize(RequestBytes);
        ReceivedBytes frame = _request;
        _request = ReceivedBytes.Empty;
        frame.Release();
        return request;
    }

    public async Task RespondAsync(TResponse response)
    {
        if (RequestedStatus() is { } status) throw new RpcException(status);
        OutgoingFrame frame = Connection.Sender.Rent(FrameType.Response, FrameFlags.None);
        try
        {
            ResponseEnvelope.WriteSuccess(frame, response, _method.ResponseMarshaller);
        }
        catch
        {
            Connection.Sender.Return(frame);
            throw;
        }

        await SendLastAsync(frame).ConfigureAwait(false);
    }

    public async Task EndStreamAsync()
    {
        if (RequestedStatus() is { } status) throw new RpcException(status);
        await SendLastAsync(Connection.Sender.Rent(FrameType.Data, FrameFlags.RemoteClosed | FrameFlags.NoData)).ConfigureAwait(false);
    }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        _current = null;
        (bool hasMessage, ReceivedBytes message) = await _inbox!.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (!hasMessage) return false;
        try
        {
            _current = Deserialize(message);
            return true;
        }
        finally
        {
            message.Release();
        }
    }

    public Task WriteAsync(TResponse message)
    {
        if (HasEnded) return Task.FromException(Ended());
        OutgoingFrame frame = Connection.Sender.Rent(FrameType.Data, FrameFlags.None);
        try
        {
            frame.WriteData(message, _method.ResponseMarshaller);
        }
        catch (Exception exception)
        {
            Connection.Sender.Return(frame);
            return Task.FromException(exception);
        }

        return ObserveAsync(Connection.Sender.SendAsync(frame, StreamId, null, CancellationToken.None));
    }

    Task IAsyncStreamWriter<TResponse>.WriteAsync(TResponse message, CancellationToken cancellationToken) =>
        WriteAsync(message).WaitAsync(cancellationToken);

    public override Status? Receive(FrameHeader header, ReceivedBytes data)
    {
        if (_remoteClosed || _inbox is null)
        {
            data.Release();
            return new Status(
                StatusCode.InvalidArgument, "Cannot accept data for the call: its request was complete. Send data only on an open stream");
        }

        bool last = header.Flags.HasFlag(FrameFlags.RemoteClosed);
        if (header.Flags.HasFlag(FrameFlags.NoData) || (last && data.Length == 0)) data.Release();
        else _inbox.Add(data);
        if (last)
        {
            _remoteClosed = true;
            _inbox.Complete(null);
        }

        return null;
    }

    protected override Task InvokeAsync() => _method.InvokeAsync(this);

    protected override void AbandonRequests() => _inbox?.Abandon(Ended());

    protected override void ReleaseRequest()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0) return;
        Connection.RequestBudget.Release(_charged);
        _request.Release();
    }

    private static OperationCanceledException Ended() => new("Cannot go on with the call: it has ended. Stop the work for it");

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

    private TRequest Deserialize(ReceivedBytes bytes)
    {
        try
        {
            return bytes.Deserialize(_method.RequestMarshaller);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"Cannot read the request of '{_method.FullName}': {exception.Message} Check the client"));
        }
    }
}
