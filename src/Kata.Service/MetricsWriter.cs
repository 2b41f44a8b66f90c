using System.Text;
using Google.Protobuf;

namespace Kata.Service;

/// <summary>
/// Writes a protobuf message that nobody here reads, field by field: the classes that its definition would become are 20 times as large
/// in the executable. What is 0 is left out, as in every proto3 message.
/// </summary>
internal sealed class MetricsWriter
{
    private readonly List<byte> _bytes = [];

    public MetricsWriter Number(int field, ulong value)
    {
        if (value != 0)
        {
            Tag(field, WireFormat.WireType.Varint);
            Varint(value);
        }

        return this;
    }

    /// <summary>Numbers in fields that follow one another.</summary>
    public MetricsWriter Numbers(int first, params ReadOnlySpan<ulong> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            Number(first + i, values[i]);
        }

        return this;
    }

    public MetricsWriter Text(int field, string value) => Block(field, Encoding.UTF8.GetBytes(value));

    public MetricsWriter Message(int field, MetricsWriter message) => Block(field, [.. message._bytes]);

    public ByteString ToBytes() => ByteString.CopyFrom([.. _bytes]);

    private MetricsWriter Block(int field, byte[] content)
    {
        Tag(field, WireFormat.WireType.LengthDelimited);
        Varint((ulong)content.Length);
        _bytes.AddRange(content);
        return this;
    }

    private void Tag(int field, WireFormat.WireType type) => Varint(WireFormat.MakeTag(field, type));

    // Seven bits a byte, the lowest first; the eighth says that more follow.
    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.Add((byte)(value | 0x80));
        }

        _bytes.Add((byte)value);
    }
}
