using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>One message of a datagram, whose length has been checked; what is in it has not.</summary>
internal readonly ref struct NetlinkMessage
{
    internal NetlinkMessage(NlMsgHdr header, ReadOnlySpan<byte> payload)
    {
        Type = header.nlmsg_type;
        Flags = header.nlmsg_flags;
        Sequence = header.nlmsg_seq;
        Payload = payload;
    }

    public ushort Type { get; }

    public ushort Flags { get; }

    public uint Sequence { get; }

    /// <summary>What follows the header.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The fixed structure that the message begins with.</summary>
    /// <exception cref="NetlinkProtocolException">The message is shorter.</exception>
    public T Header<T>()
        where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        return Payload.Length >= size
            ? MemoryMarshal.Read<T>(Payload)
            : throw new NetlinkProtocolException($"a message of type {Type} has {Payload.Length} bytes, fewer than its header of {size}");
    }

    /// <summary>The attributes after the fixed structure.</summary>
    /// <exception cref="NetlinkProtocolException">The message is shorter.</exception>
    public AttributeReader Attributes<T>()
        where T : unmanaged
    {
        _ = Header<T>();
        return new AttributeReader(Payload[Math.Min(Alignment.Up(Unsafe.SizeOf<T>()), Payload.Length)..]);
    }
}
