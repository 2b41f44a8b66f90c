using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A stream of requests, of responses, or both.</summary>
/// <param name="method">Names, kind and marshallers.</param>
/// <param name="start">Starts the handler with the call as its streams.</param>
internal sealed class StreamedMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, Func<StreamedCall<TRequest, TResponse>, Task> start)
    : ServerMethod(method.FullName, method.Type)
    where TRequest : class
    where TResponse : class
{
    public override ServerCall CreateCall(ServerConnection connection, ServerRequest request) =>
        new StreamedCall<TRequest, TResponse>(connection, this, request);

    public override Task Start(ServerCall call) => start((StreamedCall<TRequest, TResponse>)call);

    public override object ReadRequest(DeserializationContext context) => method.RequestMarshaller.ContextualDeserializer(context);

    public override void WriteResponse(object response, SerializationContext context) =>
        method.ResponseMarshaller.ContextualSerializer((TResponse)response, context);

    [SuppressMessage("Usage", "VSTHRD002", Justification = "It has ended")]
    public override object ResponseOf(Task handler) => ((Task<TResponse>)handler).Result;
}
