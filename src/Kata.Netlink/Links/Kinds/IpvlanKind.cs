using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>A link with the MAC address of its parent and IP addresses of its own.</summary>
public sealed record IpvlanKind : LinkKind
{
    internal const string KindName = "ipvlan";

    /// <summary>With the kernel's settings.</summary>
    public IpvlanKind() : base(KindName)
    {
    }

    /// <summary>How it looks at packets; null leaves it to the kernel, which takes <see cref="IpvlanMode.L3"/>.</summary>
    public IpvlanMode? Mode { get; init; }

    /// <summary>Flags: 1 is private, 2 is VEPA, 0 a bridge.</summary>
    public ushort? Flags { get; init; }

    internal static IpvlanKind ReadData(AttributeReader data)
    {
        var kind = new IpvlanKind();
        while (data.Read(out NetlinkAttribute attribute))
        {
            kind = attribute.Type switch
            {
                Rtnl.IFLA_IPVLAN_MODE => kind with { Mode = (IpvlanMode)attribute.UInt16() },
                Rtnl.IFLA_IPVLAN_FLAGS => kind with { Flags = attribute.UInt16() },
                _ => kind,
            };
        }

        return kind;
    }

    internal override void Write(MessageWriter message)
    {
        message.UInt16(Rtnl.IFLA_IPVLAN_MODE, (ushort?)Mode);
        message.UInt16(Rtnl.IFLA_IPVLAN_FLAGS, Flags);
    }
}
