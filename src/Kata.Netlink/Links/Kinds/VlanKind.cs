using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>One VLAN of its parent.</summary>
public sealed record VlanKind : LinkKind
{
    internal const string KindName = "vlan";

    /// <summary>With IEEE 802.1Q tags.</summary>
    public VlanKind() : base(KindName)
    {
    }

    /// <summary>The VLAN's number, 0 to 4094.</summary>
    public required ushort Id { get; init; }

    /// <summary>The Ethernet type of its tag: 0x8100 for 802.1Q, 0x88a8 for 802.1ad.</summary>
    public ushort Protocol { get; init; } = 0x8100;

    internal static VlanKind ReadData(AttributeReader data)
    {
        var kind = new VlanKind { Id = 0 };
        while (data.Read(out NetlinkAttribute attribute))
        {
            kind = attribute.Type switch
            {
                Rtnl.IFLA_VLAN_ID => kind with { Id = attribute.UInt16() },
                Rtnl.IFLA_VLAN_PROTOCOL => kind with { Protocol = attribute.UInt16Network() },
                _ => kind,
            };
        }

        return kind;
    }

    internal override void Write(MessageWriter message)
    {
        message.UInt16(Rtnl.IFLA_VLAN_ID, Id);
        message.UInt16Network(Rtnl.IFLA_VLAN_PROTOCOL, Protocol);
    }
}
