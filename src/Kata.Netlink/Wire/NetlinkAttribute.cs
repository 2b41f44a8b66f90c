using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Kata.Netlink;

/// <summary>One attribute. Every reading of its value checks the length first.</summary>
internal readonly ref struct NetlinkAttribute(ushort type, ReadOnlySpan<byte> value)
{
    public ushort Type { get; } = type;

    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>What is nested in the value.</summary>
    public AttributeReader Nested => new(Value);

    public byte Byte() => Exactly<byte>();

    public bool Flag() => Exactly<byte>() != 0;

    public ushort UInt16() => Exactly<ushort>();

    /// <summary>A number in network byte order.</summary>
    public ushort UInt16Network() =>
        Value.Length == sizeof(ushort) ? BinaryPrimitives.ReadUInt16BigEndian(Value) : throw WrongLength($"{sizeof(ushort)}");

    public int Int32() => Exactly<int>();

    public uint UInt32() => Exactly<uint>();

    public ulong UInt64() => Exactly<ulong>();

    /// <summary>A structure, of which newer kernels may have more fields.</summary>
    /// <exception cref="NetlinkProtocolException">The value is shorter.</exception>
    public T Structure<T>()
        where T : unmanaged =>
        Value.Length >= Unsafe.SizeOf<T>() ? MemoryMarshal.Read<T>(Value) : throw WrongLength($"at least {Unsafe.SizeOf<T>()}");

    /// <summary>UTF-8 up to the first NUL or the end; what is no UTF-8 becomes U+FFFD.</summary>
    public string Text()
    {
        int end = Value.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? Value : Value[..end]);
    }

    /// <exception cref="NetlinkProtocolException">The value has neither 4 nor 16 bytes.</exception>
    public IPAddress Address() => Value.Length is 4 or 16 ? new IPAddress(Value) : throw WrongLength("4 or 16");

    /// <exception cref="NetlinkProtocolException">The value is longer than any address of a link.</exception>
    public LinkAddress LinkAddress() => Value.Length <= Netlink.LinkAddress.MaxLength
        ? new LinkAddress(Value) : throw WrongLength($"at most {Netlink.LinkAddress.MaxLength}");

    private T Exactly<T>()
        where T : unmanaged =>
        Value.Length == Unsafe.SizeOf<T>() ? MemoryMarshal.Read<T>(Value) : throw WrongLength($"{Unsafe.SizeOf<T>()}");

    private NetlinkProtocolException WrongLength(string expected) =>
        new($"the value of attribute {Type} has {Value.Length} bytes and should have {expected}");
}
