using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>Makes a typed method out of what was added; virtual only to make the types late, see <see cref="DeferredMethod"/>.</summary>
internal abstract class MethodBuilder
{
    /// <param name="method">Names, marshallers and kind.</param>
    /// <param name="handler">Of the delegate type of that kind.</param>
    public abstract ServerMethod Build<TRequest, TResponse>(Method<TRequest, TResponse> method, Delegate handler)
        where TRequest : class
        where TResponse : class;
}
