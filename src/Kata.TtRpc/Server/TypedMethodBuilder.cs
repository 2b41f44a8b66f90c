using Grpc.Core;

namespace Kata.TtRpc;

internal sealed class TypedMethodBuilder : MethodBuilder
{
    public override ServerMethod Build<TRequest, TResponse>(Method<TRequest, TResponse> method, Delegate handler) => handler switch
    {
        UnaryServerMethod<TRequest, TResponse> unary => new ServerMethod<TRequest, TResponse>(method, async call =>
        {
            TResponse response = await unary(call.TakeRequest(), call).ConfigureAwait(false);
            await call.RespondAsync(response).ConfigureAwait(false);
        }),
        ClientStreamingServerMethod<TRequest, TResponse> clientStreaming => new ServerMethod<TRequest, TResponse>(method, async call =>
        {
            TResponse response = await clientStreaming(call, call).ConfigureAwait(false);
            await call.RespondAsync(response).ConfigureAwait(false);
        }),
        ServerStreamingServerMethod<TRequest, TResponse> serverStreaming => new ServerMethod<TRequest, TResponse>(method, async call =>
        {
            await serverStreaming(call.TakeRequest(), call, call).ConfigureAwait(false);
            await call.EndStreamAsync().ConfigureAwait(false);
        }),
        DuplexStreamingServerMethod<TRequest, TResponse> duplex => new ServerMethod<TRequest, TResponse>(method, async call =>
        {
            await duplex(call, call, call).ConfigureAwait(false);
            await call.EndStreamAsync().ConfigureAwait(false);
        }),
        _ => throw new InvalidOperationException(
            $"Cannot add the method '{method.FullName}': its handler has no known form. Use the generated BindService"),
    };
}
