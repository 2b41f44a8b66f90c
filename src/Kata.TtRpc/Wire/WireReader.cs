namespace Kata.TtRpc;

/// <summary>Reads the protobuf fields of an envelope in place. Everything read is untrusted; a false result means malformed.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> data)
{
    public const int Varint = 0;
    public const int LengthDelimited = 2;

    private readonly ReadOnlySpan<byte> _data = data;
    private int _position;

    public readonly bool AtEnd => _position == _data.Length;

    public bool TryReadTag(out int field, out int wireType)
    {
        field = 0;
        wireType = 0;
        if (!TryReadVarint(out ulong tag) || tag > uint.MaxValue) return false;
        field = (int)(tag >> 3);
        wireType = (int)(tag & 7);
        return field != 0;
    }

    public bool TryReadVarint(out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (_position == _data.Length) return false;
            byte next = _data[_position++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return true;
        }

        return false;
    }

    /// <summary>Where the field's bytes are in the data that this reader was made for.</summary>
    public bool TryReadBytes(out int start, out int length)
    {
        start = 0;
        length = 0;
        if (!TryReadVarint(out ulong declared) || declared > (ulong)(_data.Length - _position)) return false;
        start = _position;
        length = (int)declared;
        _position += length;
        return true;
    }

    public bool TrySkip(int wireType)
    {
        switch (wireType)
        {
            case Varint:
                return TryReadVarint(out _);
            case LengthDelimited:
                return TryReadBytes(out _, out _);
            case 1:
                return TryAdvance(8);
            case 5:
                return TryAdvance(4);
            default:
                return false; // groups are not in proto3
        }
    }

    private bool TryAdvance(int count)
    {
        if (count > _data.Length - _position) return false;
        _position += count;
        return true;
    }
}
