using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>A tun or tap device, as it is read. It is made by <c>/dev/net/tun</c>, not by netlink: the kernel refuses that.</summary>
public sealed record TunKind : LinkKind
{
    internal const string KindName = "tun";

    /// <summary>A device of packets.</summary>
    public TunKind() : base(KindName)
    {
    }

    /// <summary>Whether it has Ethernet frames (tap) or IP packets (tun).</summary>
    public bool IsTap { get; init; }

    /// <summary>The user who may open it; null for those with CAP_NET_ADMIN.</summary>
    public uint? Owner { get; init; }

    /// <summary>The group that may open it; null for those with CAP_NET_ADMIN.</summary>
    public uint? Group { get; init; }

    /// <summary>Whether packets begin with flags and protocol (not IFF_NO_PI).</summary>
    public bool HasPacketInformation { get; init; }

    /// <summary>Whether packets begin with a virtio header.</summary>
    public bool HasVirtioHeader { get; init; }

    /// <summary>Whether it stays when nobody has it open.</summary>
    public bool IsPersistent { get; init; }

    /// <summary>Whether it may be opened more than once.</summary>
    public bool IsMultiQueue { get; init; }

    /// <summary>How many queues are open; null if it is not <see cref="IsMultiQueue"/>.</summary>
    public uint? Queues { get; init; }

    internal static TunKind ReadData(AttributeReader data)
    {
        var kind = new TunKind();
        while (data.Read(out NetlinkAttribute attribute))
        {
            kind = attribute.Type switch
            {
                Rtnl.IFLA_TUN_TYPE => kind with { IsTap = attribute.Byte() == 2 },
                Rtnl.IFLA_TUN_OWNER => kind with { Owner = attribute.UInt32() },
                Rtnl.IFLA_TUN_GROUP => kind with { Group = attribute.UInt32() },
                Rtnl.IFLA_TUN_PI => kind with { HasPacketInformation = attribute.Flag() },
                Rtnl.IFLA_TUN_VNET_HDR => kind with { HasVirtioHeader = attribute.Flag() },
                Rtnl.IFLA_TUN_PERSIST => kind with { IsPersistent = attribute.Flag() },
                Rtnl.IFLA_TUN_MULTI_QUEUE => kind with { IsMultiQueue = attribute.Flag() },
                Rtnl.IFLA_TUN_NUM_QUEUES => kind with { Queues = attribute.UInt32() },
                _ => kind,
            };
        }

        return kind;
    }

    internal override void Write(MessageWriter message)
    {
        message.UInt32(Rtnl.IFLA_TUN_OWNER, Owner);
        message.UInt32(Rtnl.IFLA_TUN_GROUP, Group);
        message.Byte(Rtnl.IFLA_TUN_TYPE, IsTap ? (byte)2 : (byte)1);
        message.Flag(Rtnl.IFLA_TUN_PI, HasPacketInformation);
        message.Flag(Rtnl.IFLA_TUN_VNET_HDR, HasVirtioHeader);
        message.Flag(Rtnl.IFLA_TUN_PERSIST, IsPersistent);
        message.Flag(Rtnl.IFLA_TUN_MULTI_QUEUE, IsMultiQueue);
        message.UInt32(Rtnl.IFLA_TUN_NUM_QUEUES, Queues);
    }
}
