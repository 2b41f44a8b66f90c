using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>What the request frame of a call said. The data is owned by the call.</summary>
internal readonly record struct ServerRequest(
    uint StreamId, FrameFlags Flags, ReceivedBytes Data, (int Start, int Length) Payload, long TimeoutNanoseconds, Metadata? Headers)
{
    public bool IsOpen => Flags.HasFlag(FrameFlags.RemoteOpen);

    public ReceivedBytes PayloadBytes => Data.Slice(Payload.Start, Payload.Length);
}
