using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>One of the ways of a route that has several.</summary>
public sealed record RouteNextHop
{
    /// <summary>The index of the link; null leaves it to the gateway.</summary>
    public int? LinkIndex { get; init; }

    /// <summary>The next router, of either family; null when the destination is on the link.</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>How many packets go this way, against the weights of the others: 1 to 256.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Of these only <see cref="RouteFlags.Onlink"/> can be given.</summary>
    public RouteFlags Flags { get; init; }

    /// <summary>What stands in RTA_MULTIPATH.</summary>
    /// <exception cref="NetlinkProtocolException">A length does not fit into what is there.</exception>
    internal static List<RouteNextHop> ReadAll(ReadOnlySpan<byte> rest)
    {
        int size = Unsafe.SizeOf<RtNextHop>();
        var hops = new List<RouteNextHop>();
        while (rest.Length >= size)
        {
            RtNextHop header = MemoryMarshal.Read<RtNextHop>(rest);
            if (header.rtnh_len < size || header.rtnh_len > rest.Length)
            {
                throw new NetlinkProtocolException($"a next hop says that it has {header.rtnh_len} bytes, and {rest.Length} are there");
            }

            hops.Add(new RouteNextHop
            {
                LinkIndex = header.rtnh_ifindex == 0 ? null : header.rtnh_ifindex,
                Weight = header.rtnh_hops + 1,
                Flags = (RouteFlags)header.rtnh_flags,
                Gateway = ReadGateway(new AttributeReader(rest[size..header.rtnh_len])),
            });
            rest = rest[Math.Min(Alignment.Up(header.rtnh_len), rest.Length)..];
        }

        return hops;
    }

    internal void Write(MessageWriter message, IPFamily family)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Weight, 1, nameof(Weight));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Weight, 256, nameof(Weight));
        int start = message.Length;
        message.Structure(new RtNextHop { rtnh_hops = (byte)(Weight - 1), rtnh_flags = (byte)Flags, rtnh_ifindex = LinkIndex ?? 0 });
        if (Gateway is { } gateway)
        {
            WriteGateway(message, gateway, family);
        }

        message.End(start);
    }

    /// <summary>RTA_GATEWAY, or RTA_VIA for one of the other family.</summary>
    internal static void WriteGateway(MessageWriter message, IPAddress gateway, IPFamily family)
    {
        if (gateway.Family() == family)
        {
            message.Address(Rtnl.RTA_GATEWAY, gateway);
            return;
        }

        Span<byte> via = stackalloc byte[sizeof(ushort) + 16];
        MemoryMarshal.Write(via, (ushort)gateway.Family());
        gateway.TryWriteBytes(via[sizeof(ushort)..], out int length);
        message.Bytes(Rtnl.RTA_VIA, via[..(sizeof(ushort) + length)]);
    }

    /// <summary>The address of RTA_VIA: its family and its bytes.</summary>
    internal static IPAddress ReadVia(NetlinkAttribute attribute)
    {
        ushort family = attribute.Structure<ushort>();
        ReadOnlySpan<byte> address = attribute.Value[sizeof(ushort)..];
        return ((IPFamily)family, address.Length) is (IPFamily.IPv4, 4) or (IPFamily.IPv6, 16) ? new IPAddress(address)
            : throw new NetlinkProtocolException($"a gateway of family {family} has {address.Length} bytes");
    }

    private static IPAddress? ReadGateway(AttributeReader attributes)
    {
        IPAddress? gateway = null;
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            gateway = attribute.Type switch
            {
                Rtnl.RTA_GATEWAY => attribute.Address(),
                Rtnl.RTA_VIA => ReadVia(attribute),
                _ => gateway,
            };
        }

        return gateway;
    }
}
