namespace Kata.TtRpc;

/// <summary>The peer broke the ttRPC protocol in a way after which the connection cannot go on. The connection is closed.</summary>
public sealed class TtRpcProtocolException : IOException
{
    internal TtRpcProtocolException(string message) : base(message)
    {
    }
}
