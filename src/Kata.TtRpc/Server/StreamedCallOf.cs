using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A streamed call with its types; it is its own reader of requests and writer of responses.</summary>
internal sealed class StreamedCall<TRequest, TResponse>(ServerConnection connection, ServerMethod method, ServerRequest request)
    : StreamedCall(connection, method, request), IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>
    where TRequest : class
    where TResponse : class
{
    public TRequest Current => (TRequest)CurrentRequest;

    public Task WriteAsync(TResponse message) => WriteResponseAsync(message);

    Task IAsyncStreamWriter<TResponse>.WriteAsync(TResponse message, CancellationToken cancellationToken) =>
        WriteResponseAsync(message).WaitAsync(cancellationToken);
}
