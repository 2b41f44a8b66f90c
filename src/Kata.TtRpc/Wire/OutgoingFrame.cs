using System.Buffers;
using System.Text;
using Grpc.Core;

namespace Kata.TtRpc;

/// <summary>
/// One frame being built: room for the header, then the envelope's fields, with the message serialized straight into its place.
/// </summary>
/// <remarks>
/// Not thread-safe; owned by the <see cref="FrameSender"/> from <see cref="FrameSender.SendAsync"/> on. A message is either the whole
/// data of the frame (stream data) or a length-delimited field of the envelope. Its length is normally announced by the marshaller; if
/// not, the field is moved into place afterwards.
/// </remarks>
internal sealed class OutgoingFrame(int maxMessageSize) : SerializationContext, IBufferWriter<byte>
{
    /// <summary>A message that is the whole data of the frame: stream data without an envelope.</summary>
    public const int NoField = 0;

    private const int LongestFieldPrefix = 6;
    private const int Slack = 16;

    private byte[] _buffer = [];
    private int _written;
    private FrameType _type;
    private FrameFlags _flags;
    private int _field;
    private int _messageStart = -1;
    private bool _lengthKnown;


    public void Begin(FrameType type, FrameFlags flags)
    {
        _type = type;
        _flags = flags;
        _written = FrameHeader.Size;
        EnsureCapacity(256);
    }

    /// <summary>The whole frame, ready for the wire.</summary>
    public ReadOnlyMemory<byte> Finish(uint streamId)
    {
        new FrameHeader((uint)(_written - FrameHeader.Size), streamId, _type, _flags).Write(_buffer);
        return _buffer.AsMemory(0, _written);
    }

    /// <summary>Gives the memory back; <see cref="Begin"/> makes the frame usable again.</summary>
    public void Recycle()
    {
        FrameBuffers.Return(_buffer);
        _buffer = [];
    }

    /// <summary>What a marshaller writes from now on is one message.</summary>
    /// <param name="field">The field it is of the envelope, or <see cref="NoField"/>.</param>
    public void BeginMessage(int field)
    {
        _field = field;
        _messageStart = -1;
        _lengthKnown = false;
    }

    /// <exception cref="RpcException">The message is too large.</exception>
    public void EndMessage()
    {
        if (_messageStart >= 0 && !_lengthKnown && _field != NoField) MoveIntoPlace();
        CheckSize(0);
    }

    public void WriteString(int field, string value)
    {
        if (value.Length == 0) return;
        int length = Encoding.UTF8.GetByteCount(value);
        WritePrefix(field, length);
        _written += Encoding.UTF8.GetBytes(value, _buffer.AsSpan(_written));
    }

    public void WriteBytes(int field, ReadOnlySpan<byte> value)
    {
        WritePrefix(field, value.Length);
        value.CopyTo(_buffer.AsSpan(_written));
        _written += value.Length;
    }

    public void WriteVarintField(int field, ulong value)
    {
        if (value == 0) return;
        EnsureCapacity(2 * LongestFieldPrefix);
        _buffer[_written++] = (byte)(field << 3);
        WriteVarint(value);
    }

    /// <summary>Starts a length-delimited field of <paramref name="length"/> bytes; they follow, and there is room for them.</summary>
    public void WritePrefix(int field, int length)
    {
        CheckSize(length);
        EnsureCapacity(length + LongestFieldPrefix);
        _buffer[_written++] = (byte)((field << 3) | 2);
        WriteVarint((uint)length);
    }

    public override void SetPayloadLength(int payloadLength)
    {
        CheckSize(payloadLength);
        if (_field != NoField && payloadLength > 0) WritePrefix(_field, payloadLength);
        EnsureCapacity(payloadLength);
        _lengthKnown = true;
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        if (!_lengthKnown && _field != NoField && _messageStart < 0)
        {
            EnsureCapacity(LongestFieldPrefix);
            _written += LongestFieldPrefix;
        }

        if (_messageStart < 0) _messageStart = _written;
        return this;
    }

    public override void Complete()
    {
        // The length is known from what was written.
    }

    public override void Complete(byte[] payload)
    {
        SetPayloadLength(payload.Length);
        payload.CopyTo(_buffer.AsSpan(_written));
        _written += payload.Length;
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        _written += count;
        CheckSize(0);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureCapacity(sizeHint);
        return _buffer.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureCapacity(sizeHint);
        return _buffer.AsSpan(_written);
    }

    internal static int VarintLength(ulong value)
    {
        int length = 1;
        while ((value >>= 7) != 0) length++;
        return length;
    }

    private void MoveIntoPlace()
    {
        int length = _written - _messageStart;
        int source = _messageStart;
        _written = _messageStart - LongestFieldPrefix;
        if (length == 0) return;

        _buffer[_written++] = (byte)((_field << 3) | 2);
        WriteVarint((uint)length);
        _buffer.AsSpan(source, length).CopyTo(_buffer.AsSpan(_written));
        _written += length;
    }

    private void WriteVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _buffer[_written++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _buffer[_written++] = (byte)value;
    }

    private void CheckSize(int more)
    {
        long size = (long)_written - FrameHeader.Size + more;
        if (size <= maxMessageSize) return;
        throw new RpcException(new Status(
            StatusCode.ResourceExhausted,
            $"Cannot send a message of {size} bytes: the limit is {maxMessageSize} bytes. "
            + "Send it in parts, or raise MaxMessageSize at both ends"));
    }

    private void EnsureCapacity(int more)
    {
        // The slack means that a span handed out is never empty, as IBufferWriter asks.
        int needed = checked(_written + more + Slack);
        if (needed <= _buffer.Length) return;

        byte[] larger = FrameBuffers.Rent(Math.Max(needed, (int)Math.Min(_buffer.Length * 2L, FrameBuffers.LargestPooled)));
        _buffer.AsSpan(0, Math.Min(_written, _buffer.Length)).CopyTo(larger);
        FrameBuffers.Return(_buffer);
        _buffer = larger;
    }
}
