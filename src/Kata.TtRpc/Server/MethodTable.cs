using System.Text;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>The methods of a server, found by the two names of a request without making strings of them.</summary>
internal sealed class MethodTable : ServiceBinderBase
{
    private const int LongestName = 512;

    private readonly Dictionary<string, DeferredMethod> _methods = [];
    private readonly MethodBuilder _builder = new TypedMethodBuilder();

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        Add(method, handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) => Add(method, handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) => Add(method, handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) => Add(method, handler);

    /// <summary>Names as they came from the client; null when there is no such method.</summary>
    public ServerMethod? Find(ReadOnlySpan<byte> service, ReadOnlySpan<byte> method)
    {
        if (service.Length + method.Length > LongestName) return null;
        Span<char> name = stackalloc char[LongestName + 2];
        name[0] = '/';
        int length = 1 + Encoding.UTF8.GetChars(service, name[1..]);
        name[length++] = '/';
        length += Encoding.UTF8.GetChars(method, name[length..]);
        return _methods.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..length], out DeferredMethod? found)
            ? found.Get()
            : null;
    }

    private void Add<TRequest, TResponse>(Method<TRequest, TResponse> method, Delegate? handler)
        where TRequest : class
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (_methods.TryAdd(method.FullName, new DeferredMethod<TRequest, TResponse>(_builder, method, handler))) return;
        throw new InvalidOperationException($"Cannot add the method '{method.FullName}': it was added before. Bind each service once");
    }
}
