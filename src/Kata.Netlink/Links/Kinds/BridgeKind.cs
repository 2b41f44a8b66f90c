using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>A switch whose ports are links. What is null stays as the kernel chooses.</summary>
public sealed record BridgeKind : LinkKind
{
    internal const string KindName = "bridge";

    /// <summary>With the kernel's settings.</summary>
    public BridgeKind() : base(KindName)
    {
    }

    /// <summary>Whether it speaks the spanning tree protocol, itself (1) or by a program (2).</summary>
    public uint? SpanningTree { get; init; }

    /// <summary>Whether it keeps VLANs apart.</summary>
    public bool? FiltersVlans { get; init; }

    /// <summary>The VLAN of packets without one.</summary>
    public ushort? DefaultVlan { get; init; }

    /// <summary>Whether it learns who wants which multicast.</summary>
    public bool? SnoopsMulticast { get; init; }

    /// <summary>How long a port listens before it forwards, in hundredths of a second.</summary>
    public uint? ForwardDelay { get; init; }

    /// <summary>How long an address is remembered, in hundredths of a second.</summary>
    public uint? AgeingTime { get; init; }

    /// <summary>Its priority in the spanning tree.</summary>
    public ushort? Priority { get; init; }

    internal static BridgeKind ReadData(AttributeReader data)
    {
        var kind = new BridgeKind();
        while (data.Read(out NetlinkAttribute attribute))
        {
            kind = attribute.Type switch
            {
                Rtnl.IFLA_BR_STP_STATE => kind with { SpanningTree = attribute.UInt32() },
                Rtnl.IFLA_BR_VLAN_FILTERING => kind with { FiltersVlans = attribute.Flag() },
                Rtnl.IFLA_BR_VLAN_DEFAULT_PVID => kind with { DefaultVlan = attribute.UInt16() },
                Rtnl.IFLA_BR_MCAST_SNOOPING => kind with { SnoopsMulticast = attribute.Flag() },
                Rtnl.IFLA_BR_FORWARD_DELAY => kind with { ForwardDelay = attribute.UInt32() },
                Rtnl.IFLA_BR_AGEING_TIME => kind with { AgeingTime = attribute.UInt32() },
                Rtnl.IFLA_BR_PRIORITY => kind with { Priority = attribute.UInt16() },
                _ => kind,
            };
        }

        return kind;
    }

    internal override void Write(MessageWriter message)
    {
        message.UInt32(Rtnl.IFLA_BR_STP_STATE, SpanningTree);
        message.Flag(Rtnl.IFLA_BR_VLAN_FILTERING, FiltersVlans);
        message.UInt16(Rtnl.IFLA_BR_VLAN_DEFAULT_PVID, DefaultVlan);
        message.Flag(Rtnl.IFLA_BR_MCAST_SNOOPING, SnoopsMulticast);
        message.UInt32(Rtnl.IFLA_BR_FORWARD_DELAY, ForwardDelay);
        message.UInt32(Rtnl.IFLA_BR_AGEING_TIME, AgeingTime);
        message.UInt16(Rtnl.IFLA_BR_PRIORITY, Priority);
    }
}
