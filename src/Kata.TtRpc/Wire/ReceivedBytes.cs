using System.Buffers;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// The data of one received frame, or a part of it. Whoever holds it calls <see cref="Release"/> exactly once and does not touch the
/// bytes afterwards; a slice shares the memory of the whole and only one of them is released.
/// </summary>
internal readonly struct ReceivedBytes(byte[] array, int offset, int length)
{
    public static ReceivedBytes Empty => new([], 0, 0);

    public int Length => length;

    public ReadOnlySpan<byte> Span => array.AsSpan(offset, length);

    public ReceivedBytes Slice(int start, int count) => new(array, offset + start, count);

    /// <summary>The bytes for a marshaller to read, before <see cref="Release"/>.</summary>
    public DeserializationContext ToContext() => new Context(new ReadOnlySequence<byte>(array, offset, length));

    public void Release() => FrameBuffers.Return(array);

    private sealed class Context(ReadOnlySequence<byte> payload) : DeserializationContext
    {
        public override int PayloadLength => (int)payload.Length;

        public override byte[] PayloadAsNewBuffer() => payload.ToArray();

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => payload;
    }
}
