using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>How a call ended; set once.</summary>
internal sealed class CallEnd(Status status, Metadata? trailers = null)
{
    public static CallEnd Success { get; } = new(Status.DefaultSuccess);

    public Status Status => status;

    public Metadata Trailers => trailers ?? [];

    public bool IsSuccess => status.StatusCode == StatusCode.OK;

    public RpcException ToException() => new(status, Trailers);
}
