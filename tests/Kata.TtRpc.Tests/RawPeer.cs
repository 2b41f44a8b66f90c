using System.Buffers.Binary;
using Google.Protobuf;
using Kata.Testing;
using Kata.TtRpc.Tests.Envelope;

namespace Kata.TtRpc.Tests;

/// <summary>Speaks ttRPC by hand, well or badly, with the protobuf library for the envelopes.</summary>
internal sealed class RawPeer(InMemoryDuplex stream) : IDisposable
{
    public static byte[] Frame(uint streamId, byte type, byte flags, ReadOnlySpan<byte> data, uint? length = null)
    {
        byte[] frame = new byte[10 + data.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, length ?? (uint)data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), streamId);
        frame[8] = type;
        frame[9] = flags;
        data.CopyTo(frame.AsSpan(10));
        return frame;
    }

    public static byte[] RequestFrame(uint streamId, string method, IMessage? message = null, byte flags = 0, long timeout = 0) =>
        RequestFrame(streamId, method, message?.ToByteArray() ?? [], flags, timeout);

    /// <summary>With any bytes in place of the message.</summary>
    public static byte[] RequestFrame(uint streamId, string method, byte[] payload, byte flags = 0, long timeout = 0) =>
        Frame(streamId, 1, flags, new Request
        {
            Service = "test.Echo",
            Method = method,
            Payload = ByteString.CopyFrom(payload),
            TimeoutNano = timeout,
        }.ToByteArray());

    public static byte[] ResponseFrame(uint streamId, IMessage message) =>
        Frame(streamId, 2, 0, new Response { Payload = message.ToByteString() }.ToByteArray());

    public async Task WriteAsync(params byte[][] frames)
    {
        foreach (byte[] frame in frames)
            await stream.WriteAsync(frame).AsTask().Within();
    }

    public async Task<(uint StreamId, byte Type, byte Flags, byte[] Data)> ReadAsync()
    {
        byte[] header = new byte[10];
        await stream.ReadExactlyAsync(header).AsTask().Within();
        byte[] data = new byte[BinaryPrimitives.ReadUInt32BigEndian(header)];
        await stream.ReadExactlyAsync(data).AsTask().Within();
        return (BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4)), header[8], header[9], data);
    }

    public async Task<(uint StreamId, Response Response)> ReadResponseAsync()
    {
        (uint streamId, byte type, byte flags, byte[] data) = await ReadAsync();
        Assert.Equal((2, 0), (type, flags));
        return (streamId, Response.Parser.ParseFrom(data));
    }

    public async Task<int> ReadByteAsync()
    {
        byte[] one = new byte[1];
        return await stream.ReadAsync(one).AsTask().Within() == 0 ? -1 : one[0];
    }

    public void CloseWriting() => stream.CloseWriting();

    public void Dispose() => stream.Dispose();
}
