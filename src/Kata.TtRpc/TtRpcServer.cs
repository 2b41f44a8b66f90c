using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// The serving side of ttRPC: services that Grpc.Tools generates the base classes of, over any connected byte stream.
/// </summary>
/// <remarks>
/// <para>One server serves any number of connections at once. Add all services before the first one.</para>
/// <para>Handlers run on the thread pool, never on the loop that reads the connection. Their <see cref="ServerCallContext"/> has the
/// request's metadata as headers, the client's deadline, and a token that is cancelled when the deadline passes, when the connection
/// ends, or when the client breaks the rules of the call. A client that only gave up on a call cannot say so in ttRPC.
/// An <see cref="RpcException"/> becomes the status of the call; trailers are not sent, except a
/// <c>google.rpc.Status</c> under "grpc-status-details-bin".</para>
/// </remarks>
public sealed class TtRpcServer
{
    private readonly TtRpcOptions _options;
    private readonly MethodTable _methods = new();

    /// <param name="options">Limits; null for the defaults.</param>
    public TtRpcServer(TtRpcOptions? options = null) => _options = TtRpcOptions.Validate(options);

    /// <summary>Where services are added: <c>MyService.BindService(server.Services, implementation)</c>.</summary>
    public ServiceBinderBase Services => _methods;

    /// <summary>
    /// Answers calls of one service under the name of another too, as where two versions have the same messages on the wire. Calls,
    /// contexts and errors carry the first name.
    /// </summary>
    /// <param name="service">The full name of a service that was added, such as "containerd.task.v2.Task".</param>
    /// <param name="alias">The other full name.</param>
    /// <exception cref="InvalidOperationException">The first is not there, or methods of the second are.</exception>
    public void AddAlias(string service, string alias)
    {
        ArgumentException.ThrowIfNullOrEmpty(service);
        ArgumentException.ThrowIfNullOrEmpty(alias);
        _methods.AddAlias(service, alias);
    }

    /// <summary>
    /// Serves one connection until it ends, and disposes it. At the end the handlers that still run are cancelled and awaited: one that
    /// ignores its token delays the return.
    /// </summary>
    /// <param name="connection">A connected, bidirectional byte stream. Its pending reads and writes must end when it is disposed.</param>
    /// <param name="cancellationToken">Ends the connection.</param>
    /// <returns>A task that succeeds when the client closed the connection between two frames.</returns>
    /// <exception cref="TtRpcProtocolException">The client broke the protocol, or the connection ended within a frame.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task ServeAsync(Stream connection, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new ServerConnection(connection, _methods, _options).RunAsync(cancellationToken);
    }
}
