using Grpc.Core;

namespace Kata.TtRpc;

internal abstract class ServerMethod(string fullName, MethodType type)
{
    /// <summary>"/service/method".</summary>
    public string FullName => fullName;

    public bool HasRequestStream => type is MethodType.ClientStreaming or MethodType.DuplexStreaming;

    public abstract ServerCall CreateCall(ServerConnection connection, ServerRequest request);
}
