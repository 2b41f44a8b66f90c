using Grpc.Core;

namespace Kata.Service;

/// <summary>
/// Binds a service under a second name: versions 2 and 3 of containerd's Task service have the same messages on the wire.
/// </summary>
internal sealed class AliasedServiceBinder(ServiceBinderBase inner, string serviceName) : ServiceBinderBase
{
    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        inner.AddMethod(Renamed(method), handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        inner.AddMethod(Renamed(method), handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        inner.AddMethod(Renamed(method), handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        inner.AddMethod(Renamed(method), handler);

    private Method<TRequest, TResponse> Renamed<TRequest, TResponse>(Method<TRequest, TResponse> method) =>
        new(method.Type, serviceName, method.Name, method.RequestMarshaller, method.ResponseMarshaller);
}
