using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Writes one message: its header, a fixed structure, attributes. The sequence number comes when it is sent.</summary>
internal sealed class MessageWriter
{
    private const int AttributeHeaderSize = 4;

    private byte[] _buffer = new byte[256];
    private int _length;

    public MessageWriter(ushort type, ushort flags)
    {
        Structure(new NlMsgHdr { nlmsg_type = type, nlmsg_flags = (ushort)(flags | Rtnl.NLM_F_REQUEST) });
    }

    public int Length => _length;

    /// <summary>The finished message, with its length; valid until the next write.</summary>
    /// <param name="sequence">By which the answer is known.</param>
    public ReadOnlySpan<byte> Finish(uint sequence)
    {
        ref NlMsgHdr header = ref MemoryMarshal.AsRef<NlMsgHdr>(_buffer.AsSpan());
        header.nlmsg_len = (uint)_length;
        header.nlmsg_seq = sequence;
        return _buffer.AsSpan(0, _length);
    }

    /// <summary>A fixed structure, at an aligned place.</summary>
    public void Structure<T>(T value)
        where T : unmanaged => MemoryMarshal.Write(Reserve(Unsafe.SizeOf<T>()), value);

    public void Byte(ushort type, byte value) => Attribute(type, 1)[0] = value;

    public void Flag(ushort type, bool value) => Byte(type, value ? (byte)1 : (byte)0);

    /// <inheritdoc cref="Flag(ushort,bool)"/>
    /// <remarks>Nothing for null.</remarks>
    public void Flag(ushort type, bool? value)
    {
        if (value is { } number)
        {
            Flag(type, number);
        }
    }

    public void UInt16(ushort type, ushort value) => AttributeOf(type, value);

    /// <inheritdoc cref="UInt16(ushort,ushort)"/>
    /// <remarks>Nothing for null.</remarks>
    public void UInt16(ushort type, ushort? value)
    {
        if (value is { } number)
        {
            UInt16(type, number);
        }
    }

    /// <summary>A number in network byte order.</summary>
    public void UInt16Network(ushort type, ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Attribute(type, 2), value);

    public void Int32(ushort type, int value) => AttributeOf(type, value);

    /// <inheritdoc cref="Int32(ushort,int)"/>
    /// <remarks>Nothing for null.</remarks>
    public void Int32(ushort type, int? value)
    {
        if (value is { } number)
        {
            Int32(type, number);
        }
    }

    public void UInt32(ushort type, uint value) => AttributeOf(type, value);

    /// <inheritdoc cref="UInt32(ushort,uint)"/>
    /// <remarks>Nothing for null.</remarks>
    public void UInt32(ushort type, uint? value)
    {
        if (value is { } number)
        {
            UInt32(type, number);
        }
    }

    public void UInt64(ushort type, ulong value) => AttributeOf(type, value);

    public void AttributeOf<T>(ushort type, T value)
        where T : unmanaged => MemoryMarshal.Write(Attribute(type, Unsafe.SizeOf<T>()), value);

    public void Bytes(ushort type, ReadOnlySpan<byte> value) => value.CopyTo(Attribute(type, value.Length));

    /// <summary>UTF-8 and a NUL.</summary>
    /// <exception cref="ArgumentException">The text has a NUL, or is too long.</exception>
    public void Text(ushort type, string value)
    {
        if (value.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException($"Cannot send the text '{value.Replace("\0", "\\0", StringComparison.Ordinal)}': it has a NUL");
        }

        Span<byte> space = Attribute(type, Encoding.UTF8.GetByteCount(value) + 1);
        Encoding.UTF8.GetBytes(value, space);
        space[^1] = 0;
    }

    public void Address(ushort type, IPAddress value) => value.TryWriteBytes(Attribute(type, value.IsIPv6() ? 16 : 4), out _);

    /// <summary>Opens a nested attribute; what is written until <see cref="End"/> is in it.</summary>
    /// <returns>The place that <see cref="End"/> wants.</returns>
    public int Begin(ushort type)
    {
        int start = _length;
        Attribute((ushort)(type | Rtnl.NLA_F_NESTED), 0);
        return start;
    }

    /// <inheritdoc cref="Begin"/>
    /// <remarks>Without the flag, for parts of the kernel that are older than it.</remarks>
    public int BeginPlain(ushort type)
    {
        int start = _length;
        Attribute(type, 0);
        return start;
    }

    /// <summary>Writes the length of the nested attribute, or of a next hop, which begins with its length too.</summary>
    /// <exception cref="ArgumentException">More is nested than an attribute may have.</exception>
    public void End(int start) => MemoryMarshal.Write(_buffer.AsSpan(start), LengthOf(_length - start));

    private Span<byte> Attribute(ushort type, int size)
    {
        ushort length = LengthOf(AttributeHeaderSize + size);
        Span<byte> space = Reserve(length);
        MemoryMarshal.Write(space, length);
        MemoryMarshal.Write(space[2..], type);
        return space[AttributeHeaderSize..];
    }

    private static ushort LengthOf(int length) => length <= ushort.MaxValue ? (ushort)length
        : throw new ArgumentException($"Cannot send an attribute of {length} bytes: more than {ushort.MaxValue} do not fit");

    // Zeroed, with its padding, so that every write begins at an aligned place.
    private Span<byte> Reserve(int size)
    {
        int start = _length;
        int end = start + Alignment.Up(size);
        if (end > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(end, _buffer.Length * 2));
        }

        _length = end;
        return _buffer.AsSpan(start, size);
    }
}
