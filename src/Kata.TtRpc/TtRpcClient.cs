using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// The calling side of one ttRPC connection. Give <see cref="CallInvoker"/> to any client class that Grpc.Tools generates.
/// </summary>
/// <remarks>
/// <para>Safe for concurrent use. Nothing runs and no timer ticks while no call is open.</para>
/// <para>A call that is cancelled, disposed or past its deadline ends here at once. The server learns of a deadline beforehand, with the
/// request, but of a cancellation never: ttRPC has no frame for it. What the server still sends for such a call is ignored.</para>
/// <para>When the connection ends, every open call fails with <see cref="StatusCode.Unavailable"/> and the reason. Texts in a
/// <see cref="Status"/> may come from the peer: escape them before they reach a terminal.</para>
/// </remarks>
public sealed class TtRpcClient : IAsyncDisposable
{
    internal const string DeadlineText = "Cannot go on with the call: its deadline has passed. Allow more time, or look at the server";

    private readonly ClientConnection _connection;

    /// <summary>Starts reading from <paramref name="stream"/>, which the client owns from here on and disposes.</summary>
    /// <param name="stream">A connected, bidirectional byte stream. Its pending reads and writes must end when it is disposed.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    public TtRpcClient(Stream stream, TtRpcOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _connection = new ClientConnection(stream, TtRpcOptions.Validate(options));
        CallInvoker = new TtRpcCallInvoker(_connection);
    }

    /// <summary>
    /// For the constructors of generated clients. Blocking unary calls are not supported. The host argument, call credentials and
    /// wait-for-ready are ignored; response headers are always empty.
    /// </summary>
    public CallInvoker CallInvoker { get; }

    /// <summary>
    /// Whether a call ended because this side waited no longer. A server may say that a deadline has passed, too: in words of its own.
    /// </summary>
    internal static bool IsOwnDeadline(RpcException error) =>
        error.StatusCode == StatusCode.DeadlineExceeded && error.Status.Detail == DeadlineText;

    /// <summary>
    /// Ends when the connection has ended: successfully when the peer closed it between two frames or the client was disposed, otherwise
    /// with the reason, which is a <see cref="TtRpcProtocolException"/> when the peer broke the protocol.
    /// </summary>
    public Task Completion => _connection.Completion;

    /// <summary>
    /// Whether the connection has ended. It is so before the first open call fails of that, so it tells such a failure from a server's own
    /// <see cref="StatusCode.Unavailable"/>; <see cref="Completion"/> follows when the stream is closed.
    /// </summary>
    public bool IsClosed => _connection.IsClosed;

    /// <summary>Closes the connection. Open calls fail with <see cref="StatusCode.Cancelled"/>.</summary>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
