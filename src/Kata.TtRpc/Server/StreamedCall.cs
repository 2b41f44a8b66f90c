using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A call with a stream of requests or of responses, but for its types.</summary>
internal abstract class StreamedCall : ServerCall
{
    private readonly StreamInbox? _inbox;
    private bool _remoteClosed; // only the read loop uses it after the constructor
    private object? _current;

    protected StreamedCall(ServerConnection connection, ServerMethod method, ServerRequest request)
        : base(connection, method, request)
    {
        _remoteClosed = !request.IsOpen;
        if (!method.HasRequestStream) return;

        _inbox = new StreamInbox(connection.Budget);
        // A request frame may carry the first message. A client that knows no streams sends its only message so, even an empty one.
        ReceivedBytes first = request.PayloadBytes;
        if (first.Length > 0 || request.Flags == FrameFlags.None)
        {
            byte[] copy = FrameBuffers.Rent(first.Length);
            first.Span.CopyTo(copy);
            _inbox.Add(new ReceivedBytes(copy, 0, first.Length));
        }

        if (_remoteClosed) _inbox.Complete(null);
    }

    protected object CurrentRequest =>
        _current ?? throw new InvalidOperationException("Cannot give the current message: there is none. Call MoveNext first");

    /// <summary>The next request becomes the current one.</summary>
    /// <returns>False when the stream has ended.</returns>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        _current = null;
        (bool hasMessage, ReceivedBytes message) = await _inbox!.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (!hasMessage) return false;
        try
        {
            _current = Read(message);
            return true;
        }
        finally
        {
            message.Release();
        }
    }

    public override Status? Receive(FrameHeader header, ReceivedBytes data)
    {
        if (_remoteClosed || _inbox is null) return base.Receive(header, data);

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

    protected Task WriteResponseAsync(object message)
    {
        if (HasEnded) return Task.FromException(Ended());
        OutgoingFrame frame = Connection.Sender.Rent(FrameType.Data, FrameFlags.None);
        try
        {
            frame.BeginMessage(OutgoingFrame.NoField);
            ServerMethod.WriteResponse(message, frame);
            frame.EndMessage();
        }
        catch (Exception exception)
        {
            Connection.Sender.Return(frame);
            return Task.FromException(exception);
        }

        return ObserveAsync(Connection.Sender.SendAsync(frame, StreamId, null, CancellationToken.None));
    }

    protected override void AbandonRequests() => _inbox?.Abandon(Ended());

    private static OperationCanceledException Ended() => new("Cannot go on with the call: it has ended. Stop the work for it");
}
