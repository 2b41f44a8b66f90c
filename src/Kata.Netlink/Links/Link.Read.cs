using System.Diagnostics.CodeAnalysis;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

public sealed partial record Link
{
    [SetsRequiredMembers]
    private Link(IfInfoMsg header, AttributeReader attributes)
    {
        Index = header.ifi_index;
        Name = "";
        HardwareType = header.ifi_type;
        Flags = (LinkFlags)header.ifi_flags;
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.IFLA_IFNAME:
                    Name = attribute.Text();
                    break;
                case Rtnl.IFLA_ADDRESS:
                    Address = attribute.LinkAddress();
                    break;
                case Rtnl.IFLA_BROADCAST:
                    Broadcast = attribute.LinkAddress();
                    break;
                case Rtnl.IFLA_PERM_ADDRESS:
                    PermanentAddress = attribute.LinkAddress();
                    break;
                case Rtnl.IFLA_MTU:
                    Mtu = attribute.UInt32();
                    break;
                case Rtnl.IFLA_MIN_MTU:
                    MinMtu = attribute.UInt32();
                    break;
                case Rtnl.IFLA_MAX_MTU:
                    MaxMtu = attribute.UInt32();
                    break;
                case Rtnl.IFLA_LINK:
                    Parent = attribute.Int32() is var parent and not 0 ? parent : null;
                    break;
                case Rtnl.IFLA_LINK_NETNSID:
                    ParentNamespaceId = attribute.Int32() is var id and >= 0 ? id : null;
                    break;
                case Rtnl.IFLA_PARENT_DEV_NAME:
                    ParentDevice = attribute.Text();
                    break;
                case Rtnl.IFLA_PARENT_DEV_BUS_NAME:
                    ParentBus = attribute.Text();
                    break;
                case Rtnl.IFLA_MASTER:
                    Controller = attribute.Int32();
                    break;
                case Rtnl.IFLA_OPERSTATE:
                    OperState = (LinkOperState)attribute.Byte();
                    break;
                case Rtnl.IFLA_CARRIER:
                    HasCarrier = attribute.Flag();
                    break;
                case Rtnl.IFLA_GROUP:
                    Group = attribute.UInt32();
                    break;
                case Rtnl.IFLA_TXQLEN:
                    TransmitQueueLength = attribute.UInt32();
                    break;
                case Rtnl.IFLA_NUM_TX_QUEUES:
                    TransmitQueues = attribute.UInt32();
                    break;
                case Rtnl.IFLA_NUM_RX_QUEUES:
                    ReceiveQueues = attribute.UInt32();
                    break;
                case Rtnl.IFLA_PROMISCUITY:
                    Promiscuity = attribute.UInt32();
                    break;
                case Rtnl.IFLA_GSO_MAX_SIZE:
                    GsoMaxSize = attribute.UInt32();
                    break;
                case Rtnl.IFLA_GSO_MAX_SEGS:
                    GsoMaxSegments = attribute.UInt32();
                    break;
                case Rtnl.IFLA_GRO_MAX_SIZE:
                    GroMaxSize = attribute.UInt32();
                    break;
                case Rtnl.IFLA_IFALIAS:
                    Alias = attribute.Text();
                    break;
                case Rtnl.IFLA_STATS64:
                    Statistics = LinkStatistics.Of(attribute.Structure<RtnlLinkStats64>());
                    break;
                case Rtnl.IFLA_AF_SPEC:
                    AddressGeneration = ReadAddressGeneration(attribute.Nested);
                    break;
                case Rtnl.IFLA_LINKINFO:
                    (Kind, PortKind) = ReadKind(attribute.Nested);
                    break;
            }
        }
    }

    /// <summary>The link of a message; null when it is of none.</summary>
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    internal static Link? Read(NetlinkMessage message)
    {
        IfInfoMsg header = message.Header<IfInfoMsg>();
        // AF_BRIDGE and AF_INET6 tell of a port, or of settings, of a link that is told of by itself.
        return message.Type is Rtnl.RTM_NEWLINK or Rtnl.RTM_DELLINK && header.ifi_family == 0
            ? new Link(header, message.Attributes<IfInfoMsg>()) : null;
    }

    private static AddressGeneration? ReadAddressGeneration(AttributeReader families)
    {
        while (families.Read(out NetlinkAttribute family))
        {
            AttributeReader settings = family.Nested;
            while (family.Type == (ushort)IPFamily.IPv6 && settings.Read(out NetlinkAttribute setting))
            {
                if (setting.Type == Rtnl.IFLA_INET6_ADDR_GEN_MODE)
                {
                    return (AddressGeneration)setting.Byte();
                }
            }
        }

        return null;
    }

    private static (LinkKind? Kind, string? PortKind) ReadKind(AttributeReader information)
    {
        string? kind = null;
        string? portKind = null;
        AttributeReader data = default;
        while (information.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.IFLA_INFO_KIND:
                    kind = attribute.Text();
                    break;
                case Rtnl.IFLA_INFO_DATA:
                    data = attribute.Nested;
                    break;
                case Rtnl.IFLA_INFO_SLAVE_KIND:
                    portKind = attribute.Text();
                    break;
            }
        }

        return (string.IsNullOrEmpty(kind) ? null : LinkKind.Read(kind, data), portKind);
    }
}
