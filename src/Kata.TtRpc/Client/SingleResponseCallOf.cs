using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A call with a single response, with its types.</summary>
internal class SingleResponseCall<TRequest, TResponse>(
    ClientConnection connection, Method<TRequest, TResponse> method, CallOptions options)
    : SingleResponseCall(connection, new MethodName(method.ServiceName, method.Name), options)
    where TRequest : class
    where TResponse : class
{
    private readonly TaskCompletionSource<TResponse> _response = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<TResponse> Response => _response.Task;

    protected override void WriteRequest(object message, SerializationContext context) =>
        method.RequestMarshaller.ContextualSerializer((TRequest)message, context);

    protected override object ReadResponse(DeserializationContext context) => method.ResponseMarshaller.ContextualDeserializer(context);

    protected override void Succeed(object response) => _response.TrySetResult((TResponse)response);

    protected override void Fail(RpcException exception)
    {
        _response.TrySetException(exception);
        // A caller may be interested in the status only.
        _ = _response.Task.Exception;
    }
}
