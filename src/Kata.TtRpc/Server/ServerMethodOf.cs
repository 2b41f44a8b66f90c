using Grpc.Core;

namespace Kata.TtRpc;

/// <param name="method">Names and marshallers.</param>
/// <param name="invoke">Runs the handler and sends its answer.</param>
internal sealed class ServerMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, Func<ServerCall<TRequest, TResponse>, Task> invoke)
    : ServerMethod(method.FullName, method.Type)
    where TRequest : class
    where TResponse : class
{
    public Marshaller<TRequest> RequestMarshaller => method.RequestMarshaller;

    public Marshaller<TResponse> ResponseMarshaller => method.ResponseMarshaller;

    public Task InvokeAsync(ServerCall<TRequest, TResponse> call) => invoke(call);

    public override ServerCall CreateCall(ServerConnection connection, ServerRequest request) =>
        new ServerCall<TRequest, TResponse>(connection, this, request);
}
