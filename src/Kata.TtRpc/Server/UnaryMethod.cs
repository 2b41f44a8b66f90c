using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>One request, one response.</summary>
internal sealed class UnaryMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler)
    : ServerMethod(method.FullName, method.Type)
    where TRequest : class
    where TResponse : class
{
    public override Task Start(ServerCall call) => handler((TRequest)call.TakeRequest(), call);

    public override object ReadRequest(DeserializationContext context) => method.RequestMarshaller.ContextualDeserializer(context);

    public override void WriteResponse(object response, SerializationContext context) =>
        method.ResponseMarshaller.ContextualSerializer((TResponse)response, context);

    [SuppressMessage("Usage", "VSTHRD002", Justification = "It has ended")]
    public override object ResponseOf(Task handler) => ((Task<TResponse>)handler).Result;
}
