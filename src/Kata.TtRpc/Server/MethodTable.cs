using System.Text;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>The methods of a server, found by the two names of a request without making strings of them.</summary>
internal sealed class MethodTable : ServiceBinderBase
{
    private const int LongestName = 512;

    private readonly Dictionary<string, ServerMethod> _methods = [];

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        Add(new ServerMethod<TRequest, TResponse>(method, async call =>
        {
            TResponse response = await handler!(call.TakeRequest(), call).ConfigureAwait(false);
            await call.RespondAsync(response).ConfigureAwait(false);
        }), handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        Add(new ServerMethod<TRequest, TResponse>(method, async call =>
        {
            TResponse response = await handler!(call, call).ConfigureAwait(false);
            await call.RespondAsync(response).ConfigureAwait(false);
        }), handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        Add(new ServerMethod<TRequest, TResponse>(method, async call =>
        {
            await handler!(call.TakeRequest(), call, call).ConfigureAwait(false);
            await call.EndStreamAsync().ConfigureAwait(false);
        }), handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        Add(new ServerMethod<TRequest, TResponse>(method, async call =>
        {
            await handler!(call, call, call).ConfigureAwait(false);
            await call.EndStreamAsync().ConfigureAwait(false);
        }), handler);

    /// <summary>Names as they came from the client; null when there is no such method.</summary>
    public ServerMethod? Find(ReadOnlySpan<byte> service, ReadOnlySpan<byte> method)
    {
        if (service.Length + method.Length > LongestName) return null;
        Span<char> name = stackalloc char[LongestName + 2];
        name[0] = '/';
        int length = 1 + Encoding.UTF8.GetChars(service, name[1..]);
        name[length++] = '/';
        length += Encoding.UTF8.GetChars(method, name[length..]);
        return _methods.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..length], out ServerMethod? found) ? found : null;
    }

    private void Add(ServerMethod method, Delegate? handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (_methods.TryAdd(method.FullName, method)) return;
        throw new InvalidOperationException($"Cannot add the method '{method.FullName}': it was added before. Bind each service once");
    }
}
