using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>Remembers the two types, and nothing that would make more generic types.</summary>
internal sealed class DeferredMethod<TRequest, TResponse>(MethodBuilder builder, Method<TRequest, TResponse> method, Delegate handler)
    : DeferredMethod(method.FullName)
    where TRequest : class
    where TResponse : class
{
    // Virtual and generic on purpose: the call site then needs no type of ServerMethod before it runs.
    protected override ServerMethod Build() => builder.Build(method, handler);
}
