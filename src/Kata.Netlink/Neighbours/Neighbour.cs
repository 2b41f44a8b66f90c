using System.Diagnostics.CodeAnalysis;
using System.Net;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>A neighbour on a link (ARP, neighbour discovery): as it is to be, or as it is read.</summary>
public sealed record Neighbour
{
    /// <summary>Link and address have to be given.</summary>
    public Neighbour()
    {
    }

    [SetsRequiredMembers]
    private Neighbour(NdMsg header, AttributeReader attributes)
    {
        LinkIndex = header.ndm_ifindex;
        State = (NeighbourState)header.ndm_state;
        Flags = (NeighbourFlags)header.ndm_flags;
        Type = (RouteType)header.ndm_type;
        IPAddress? address = null;
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.NDA_DST:
                    address = attribute.Address();
                    break;
                case Rtnl.NDA_LLADDR:
                    LinkAddress = attribute.LinkAddress();
                    break;
                case Rtnl.NDA_PROTOCOL:
                    Protocol = (RouteProtocol)attribute.Byte();
                    break;
            }
        }

        address ??= IPAddressFamily.Unspecified((IPFamily)header.ndm_family);
        Address = Prefixes.Read(address, header.ndm_family, address.Bits()).Address;
    }

    /// <summary>The index of its link.</summary>
    public required int LinkIndex { get; init; }

    /// <summary>Its IP address.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>Its MAC address; without bytes where it is not known, and for a proxy.</summary>
    public LinkAddress LinkAddress { get; init; }

    /// <summary>What is known of it.</summary>
    public NeighbourState State { get; init; } = NeighbourState.Permanent;

    /// <summary>Its flags; with <see cref="NeighbourFlags.Proxy"/> this host answers for it.</summary>
    public NeighbourFlags Flags { get; init; }

    /// <summary>What kind of address it is, which the kernel finds out.</summary>
    public RouteType Type { get; init; }

    /// <summary>Who made it; null if that is not told.</summary>
    public RouteProtocol? Protocol { get; init; }

    /// <summary>The neighbour of a message; null when it is of none, or of another family than IP (as the table of a bridge).</summary>
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    internal static Neighbour? Read(NetlinkMessage message)
    {
        NdMsg header = message.Header<NdMsg>();
        return message.Type is Rtnl.RTM_NEWNEIGH or Rtnl.RTM_DELNEIGH && IPAddressFamily.IsKnown(header.ndm_family)
            ? new Neighbour(header, message.Attributes<NdMsg>()) : null;
    }

    internal void Write(MessageWriter message)
    {
        message.Structure(new NdMsg
        {
            ndm_family = (byte)Address.Family(),
            ndm_ifindex = LinkIndex,
            ndm_state = (ushort)State,
            ndm_flags = (byte)Flags,
            ndm_type = (byte)Type,
        });
        message.Address(Rtnl.NDA_DST, Address);
        if (LinkAddress.Length > 0)
        {
            message.Bytes(Rtnl.NDA_LLADDR, LinkAddress.Bytes);
        }

        if (Protocol is { } protocol)
        {
            message.Byte(Rtnl.NDA_PROTOCOL, (byte)protocol);
        }
    }
}
