namespace Kata.TtRpc;

/// <summary>
/// Limits and sources of one <see cref="TtRpcClient"/> or <see cref="TtRpcServer"/>. Every limit holds for each connection on its own
/// and exists because the peer is not trusted.
/// </summary>
public sealed class TtRpcOptions
{
    /// <summary>
    /// The largest data part of a frame, in bytes, in either direction; 4 MiB as the protocol says. A larger message that is to be sent
    /// fails its own call before a byte of it is written; a larger one that arrives is discarded as it comes in and fails its call. Both
    /// with <see cref="Grpc.Core.StatusCode.ResourceExhausted"/>.
    /// </summary>
    public int MaxMessageSize { get; init; } = 4 * 1024 * 1024;

    /// <summary>How many calls may be open at once. One more fails with <see cref="Grpc.Core.StatusCode.ResourceExhausted"/>.</summary>
    public int MaxConcurrentStreams { get; init; } = 1024;

    /// <summary>
    /// How many received bytes of stream messages may wait to be taken with <c>MoveNext</c>. Above it the connection is not read until a
    /// reader takes something or its call ends: ttRPC has no flow control of its own, so one stream without a reader then holds up the
    /// others. Streams that must not do that need credits in their own messages. On a server this is also how many bytes the requests of
    /// running handlers may have, counted apart; one more is answered with <see cref="Grpc.Core.StatusCode.ResourceExhausted"/>.
    /// </summary>
    public int MaxQueuedBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Where deadlines take the time from.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Whether a client's deadlines go to the server with the call. Off for a server that has another clock.</summary>
    internal bool TellsDeadlines { get; init; } = true;

    /// <summary>
    /// Told about each exception that left a server's handler and was neither an <see cref="Grpc.Core.RpcException"/> nor a
    /// cancellation, with the method's full name. The peer sees its message with <see cref="Grpc.Core.StatusCode.Unknown"/>. Called on a
    /// pool thread; what it throws is ignored.
    /// </summary>
    public Action<string, Exception>? HandlerFailed { get; init; }

    internal static TtRpcOptions Validate(TtRpcOptions? options)
    {
        options ??= new TtRpcOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxMessageSize, 1, nameof(MaxMessageSize));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxMessageSize, 1024 * 1024 * 1024, nameof(MaxMessageSize));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConcurrentStreams, 1, nameof(MaxConcurrentStreams));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxQueuedBytes, 1, nameof(MaxQueuedBytes));
        ArgumentNullException.ThrowIfNull(options.TimeProvider, nameof(TimeProvider));
        return options;
    }
}
