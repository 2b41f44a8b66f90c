using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Several links as one. A link becomes a port of it by <see cref="LinkSettings.Controller"/>.</summary>
public sealed record BondKind : LinkKind
{
    internal const string KindName = "bond";

    /// <summary>With the kernel's settings.</summary>
    public BondKind() : base(KindName)
    {
    }

    /// <summary>How packets are spread (BOND_MODE_): 0 round robin, 1 active and backup, 4 802.3ad.</summary>
    public byte? Mode { get; init; }

    /// <summary>How often the carriers are looked at, in milliseconds.</summary>
    public uint? MonitorInterval { get; init; }

    /// <summary>The index of the port in use, where only one is.</summary>
    public int? ActivePort { get; init; }

    internal static BondKind ReadData(AttributeReader data)
    {
        var kind = new BondKind();
        while (data.Read(out NetlinkAttribute attribute))
        {
            kind = attribute.Type switch
            {
                Rtnl.IFLA_BOND_MODE => kind with { Mode = attribute.Byte() },
                Rtnl.IFLA_BOND_MIIMON => kind with { MonitorInterval = attribute.UInt32() },
                Rtnl.IFLA_BOND_ACTIVE_SLAVE => kind with { ActivePort = attribute.Int32() },
                _ => kind,
            };
        }

        return kind;
    }

    internal override void Write(MessageWriter message)
    {
        if (Mode is { } mode)
        {
            message.Byte(Rtnl.IFLA_BOND_MODE, mode);
        }

        message.UInt32(Rtnl.IFLA_BOND_MIIMON, MonitorInterval);
        message.Int32(Rtnl.IFLA_BOND_ACTIVE_SLAVE, ActivePort);
    }
}
