using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>A router of its own: its ports use its table.</summary>
public sealed record VrfKind : LinkKind
{
    internal const string KindName = "vrf";

    /// <summary>Its table has to be given.</summary>
    public VrfKind() : base(KindName)
    {
    }

    /// <summary>The number of the table of its routes.</summary>
    public required uint Table { get; init; }

    internal static VrfKind ReadData(AttributeReader data) =>
        new() { Table = data.Find(Rtnl.IFLA_VRF_TABLE, out NetlinkAttribute table) ? table.UInt32() : 0 };

    internal override void Write(MessageWriter message) => message.UInt32(Rtnl.IFLA_VRF_TABLE, Table);
}
