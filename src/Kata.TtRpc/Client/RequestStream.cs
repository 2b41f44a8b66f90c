using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A call whose caller may send a stream of messages.</summary>
internal abstract class RequestStream<TRequest, TResponse>(
    ClientConnection connection, Method<TRequest, TResponse> method, CallOptions options)
    : ClientCall(connection), IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private bool _completed;

    /// <summary>Kept because the interface asks for it; ttRPC has no per-message options.</summary>
    public WriteOptions? WriteOptions { get; set; }

    protected Marshaller<TResponse> ResponseMarshaller => method.ResponseMarshaller;

    public void Start(FrameFlags flags, TRequest request, bool hasRequest) => Start(options, timeoutNanoseconds =>
    {
        OutgoingFrame frame = Connection.Sender.Rent(FrameType.Request, flags);
        try
        {
            RequestEnvelope.Write(
                frame,
                new MethodName(method.ServiceName, method.Name),
                request,
                hasRequest ? method.RequestMarshaller : null,
                timeoutNanoseconds,
                options.Headers);
            return frame;
        }
        catch
        {
            Connection.Sender.Return(frame);
            throw;
        }
    });

    /// <exception cref="RpcException">The call has failed, or the message is too large; then the call fails with it.</exception>
    /// <exception cref="InvalidOperationException">The stream was completed, or the server ended the call successfully.</exception>
    public async Task WriteAsync(TRequest message)
    {
        if (_completed) throw new InvalidOperationException("Cannot send a message: the request stream was completed. Complete it last");
        if (HasEnded) throw EndedException();

        OutgoingFrame frame = Connection.Sender.Rent(FrameType.Data, FrameFlags.None);
        try
        {
            frame.WriteData(message, method.RequestMarshaller);
        }
        catch (Exception exception)
        {
            Connection.Sender.Return(frame);
            Fail(exception);
            throw;
        }

        await SendDataAsync(frame).ConfigureAwait(false);
    }

    public async Task CompleteAsync()
    {
        if (_completed || HasEnded) return;
        _completed = true;
        try
        {
            await SendDataAsync(Connection.Sender.Rent(FrameType.Data, FrameFlags.RemoteClosed | FrameFlags.NoData)).ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            // The server ended the call successfully while this was on its way.
        }
    }

    async Task IAsyncStreamWriter<TRequest>.WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        // As gRPC has it: cancelling a write cancels the call, since nobody can know whether the message was sent.
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static call => ((ClientCall)call!).Cancel("a write was cancelled"), this);
        await WriteAsync(message).ConfigureAwait(false);
    }
}
