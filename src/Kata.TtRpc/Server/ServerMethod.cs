using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>A method that was added: its names, its handler, and how its messages are read and written.</summary>
/// <remarks>
/// The messages are objects here and in <see cref="ServerCall"/>, and only one class a method knows their types. Why: the types come in
/// through a generic virtual method, so an ahead-of-time compiled process makes every type and generic method over them while it runs.
/// Each costs it a kilobyte for ever, and an async method of a generic class needs ten.
/// </remarks>
internal abstract class ServerMethod(string fullName, MethodType type)
{
    /// <summary>"/service/method".</summary>
    public string FullName => fullName;

    public bool HasRequestStream => type is MethodType.ClientStreaming or MethodType.DuplexStreaming;

    public bool HasResponseStream => type is MethodType.ServerStreaming or MethodType.DuplexStreaming;

    /// <summary>The request's data becomes the call's.</summary>
    public virtual ServerCall CreateCall(ServerConnection connection, ServerRequest request) => new(connection, this, request);

    /// <summary>Starts the handler.</summary>
    /// <param name="call">One that <see cref="CreateCall"/> made.</param>
    /// <returns>The handler's task, with the response as its result where there is a single one.</returns>
    public abstract Task Start(ServerCall call);

    public abstract object ReadRequest(DeserializationContext context);

    public abstract void WriteResponse(object response, SerializationContext context);

    /// <param name="handler">What <see cref="Start"/> returned, of a method with a single response; it has succeeded.</param>
    public abstract object ResponseOf(Task handler);
}
