using System.Text;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>The methods of a server, found by the two names of a request without making strings of them.</summary>
internal sealed class MethodTable : ServiceBinderBase
{
    private const int LongestName = 512;

    private readonly Dictionary<string, ServerMethod> _methods = [];

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(new UnaryMethod<TRequest, TResponse>(method, handler));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(new StreamedMethod<TRequest, TResponse>(method, call => handler(call, call)));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(new StreamedMethod<TRequest, TResponse>(method, call => handler((TRequest)call.TakeRequest(), call, call)));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(new StreamedMethod<TRequest, TResponse>(method, call => handler(call, call, call)));
    }

    /// <summary>Names as they came from the client; null when there is no such method.</summary>
    public ServerMethod? Find(ReadOnlySpan<byte> service, ReadOnlySpan<byte> method)
    {
        if (service.Length + method.Length > LongestName) return null;
        Span<char> name = stackalloc char[LongestName + 2];
        name[0] = '/';
        int length = 1 + Encoding.UTF8.GetChars(service, name[1..]);
        name[length++] = '/';
        length += Encoding.UTF8.GetChars(method, name[length..]);
        _methods.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..length], out ServerMethod? found);
        return found;
    }

    /// <summary>Has every method of a service found under another service's name, too.</summary>
    public void AddAlias(string service, string alias)
    {
        string prefix = $"/{service}/";
        ServerMethod[] methods = [.. _methods.Values.Where(method => method.FullName.StartsWith(prefix, StringComparison.Ordinal))];
        if (methods.Length == 0)
        {
            throw new InvalidOperationException($"Cannot answer for '{alias}' as '{service}': it has no methods. Bind the service first");
        }

        foreach (ServerMethod method in methods)
            Add($"/{alias}/{method.FullName[prefix.Length..]}", method);
    }

    private void Add(ServerMethod method) => Add(method.FullName, method);

    private void Add(string fullName, ServerMethod method)
    {
        if (_methods.TryAdd(fullName, method)) return;
        throw new InvalidOperationException($"Cannot add the method '{fullName}': it was added before. Bind each service once");
    }
}
