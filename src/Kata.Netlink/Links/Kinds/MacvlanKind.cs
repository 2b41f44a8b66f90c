using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>A link with a MAC address of its own on its parent; with <see cref="IsTap"/> a device file, too.</summary>
public sealed record MacvlanKind : LinkKind
{
    internal const string KindName = "macvlan";
    internal const string TapKindName = "macvtap";

    /// <param name="isTap">Makes a macvtap, whose packets <c>/dev/tapINDEX</c> gives and takes.</param>
    public MacvlanKind(bool isTap = false) : base(isTap ? TapKindName : KindName)
    {
    }

    /// <summary>Whether it is a macvtap.</summary>
    public bool IsTap => Name == TapKindName;

    /// <summary>Who hears whom; null leaves it to the kernel, which takes <see cref="MacvlanMode.Vepa"/>.</summary>
    public MacvlanMode? Mode { get; init; }

    /// <summary>Flags (MACVLAN_FLAG_): 1 does not make the parent promiscuous in <see cref="MacvlanMode.Passthru"/>.</summary>
    public ushort? Flags { get; init; }

    internal static MacvlanKind ReadData(AttributeReader data, bool isTap)
    {
        var kind = new MacvlanKind(isTap);
        while (data.Read(out NetlinkAttribute attribute))
        {
            kind = attribute.Type switch
            {
                Rtnl.IFLA_MACVLAN_MODE => kind with { Mode = (MacvlanMode)attribute.UInt32() },
                Rtnl.IFLA_MACVLAN_FLAGS => kind with { Flags = attribute.UInt16() },
                _ => kind,
            };
        }

        return kind;
    }

    internal override void Write(MessageWriter message)
    {
        message.UInt32(Rtnl.IFLA_MACVLAN_MODE, (uint?)Mode);
        message.UInt16(Rtnl.IFLA_MACVLAN_FLAGS, Flags);
    }
}
