using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// A server-streaming or duplex call, but for its types: any number of data frames, then the last one or a response frame.
/// </summary>
internal abstract class StreamedResponseCall(ClientConnection connection, MethodName method, CallOptions options)
    : ClientCall(connection, method, options)
{
    private readonly StreamInbox _inbox = new(connection.Budget);
    private object? _current;

    protected object CurrentResponse =>
        _current ?? throw new InvalidOperationException("Cannot give the current message: there is none. Call MoveNext first");

    /// <summary>The next response becomes the current one.</summary>
    /// <returns>False when the stream has ended.</returns>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        _current = null;
        (bool hasMessage, ReceivedBytes message) = await _inbox.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (!hasMessage) return false;
        try
        {
            _current = ReadResponse(message.ToContext());
            return true;
        }
        catch (Exception exception)
        {
            FailProtocol(exception.Message);
            throw new RpcException(new Status(StatusCode.Internal, $"Cannot read a message of the stream: {exception.Message}", exception));
        }
        finally
        {
            message.Release();
        }
    }

    public override void Receive(FrameHeader header, ReceivedBytes data)
    {
        if (header.Type == FrameType.Response)
        {
            ReceiveResponse(data);
            return;
        }

        if (header.Flags.HasFlag(FrameFlags.NoData) || (header.Flags.HasFlag(FrameFlags.RemoteClosed) && data.Length == 0)) data.Release();
        else _inbox.Add(data);
        if (header.Flags.HasFlag(FrameFlags.RemoteClosed)) End(CallEnd.Success);
    }

    protected override void OnEnd(CallEnd end)
    {
        switch (end.Status.StatusCode)
        {
            case StatusCode.OK:
                _inbox.Complete(null);
                break;
            case StatusCode.Cancelled or StatusCode.DeadlineExceeded:
                _inbox.Abandon(end.ToException());
                break;
            default:
                _inbox.Complete(end.ToException());
                break;
        }
    }

    protected override void DropUnread() =>
        _inbox.Abandon(new ObjectDisposedException("Cannot read the stream: the call was disposed. Read it first", innerException: null));

    private void ReceiveResponse(ReceivedBytes data)
    {
        if (!ResponseEnvelope.TryParse(data.Span, out ResponseEnvelope envelope))
        {
            data.Release();
            FailProtocol("the response is malformed");
        }
        else if (envelope.Status.StatusCode != StatusCode.OK)
        {
            var end = new CallEnd(envelope.Status, envelope.Trailers(data.Span));
            data.Release();
            End(end);
        }
        else
        {
            // A response may carry the only message; an empty one just ends the stream.
            if (envelope.Payload.Length == 0) data.Release();
            else _inbox.Add(data.Slice(envelope.Payload.Start, envelope.Payload.Length));
            End(CallEnd.Success);
        }
    }
}
