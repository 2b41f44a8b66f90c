using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A client-streaming call: it is its own writer of requests.</summary>
internal sealed class RequestStreamCall<TRequest, TResponse>(
    ClientConnection connection, Method<TRequest, TResponse> method, CallOptions options)
    : SingleResponseCall<TRequest, TResponse>(connection, method, options), IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    /// <summary>Kept because the interface asks for it; ttRPC has no per-message options.</summary>
    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TRequest message) => WriteRequestAsync(message);

    Task IAsyncStreamWriter<TRequest>.WriteAsync(TRequest message, CancellationToken cancellationToken) =>
        WriteRequestAsync(message, cancellationToken);
}
