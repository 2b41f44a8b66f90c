using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A call with a stream of responses, with its types; it is its own reader of them, and its own writer of requests.</summary>
internal sealed class StreamedResponseCall<TRequest, TResponse>(
    ClientConnection connection, Method<TRequest, TResponse> method, CallOptions options)
    : StreamedResponseCall(connection, new MethodName(method.ServiceName, method.Name), options),
        IAsyncStreamReader<TResponse>, IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    /// <summary>Kept because the interface asks for it; ttRPC has no per-message options.</summary>
    public WriteOptions? WriteOptions { get; set; }

    public TResponse Current => (TResponse)CurrentResponse;

    public Task WriteAsync(TRequest message) => WriteRequestAsync(message);

    Task IAsyncStreamWriter<TRequest>.WriteAsync(TRequest message, CancellationToken cancellationToken) =>
        WriteRequestAsync(message, cancellationToken);

    protected override void WriteRequest(object message, SerializationContext context) =>
        method.RequestMarshaller.ContextualSerializer((TRequest)message, context);

    protected override object ReadResponse(DeserializationContext context) => method.ResponseMarshaller.ContextualDeserializer(context);
}
