using System.Buffers.Binary;

namespace Kata.TtRpc;

/// <summary>The ten bytes before each message: u32 length, u32 stream id (both big-endian), u8 type, u8 flags.</summary>
internal readonly record struct FrameHeader(uint Length, uint StreamId, FrameType Type, FrameFlags Flags)
{
    public const int Size = 10;

    /// <summary>Takes any ten bytes: what they may say is for the reader of the frame to judge.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32BigEndian(source),
        BinaryPrimitives.ReadUInt32BigEndian(source[4..]),
        (FrameType)source[8],
        (FrameFlags)source[9]);

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination, Length);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], StreamId);
        destination[8] = (byte)Type;
        destination[9] = (byte)Flags;
    }
}
