using Kata.Netlink;

namespace Kata.Network;

/// <summary>Addresses and routes as they are read, without what the kernel alone says of them: so they can be made elsewhere.</summary>
internal static class PlainRecords
{
    private const AddressFlags SettableFlags =
        AddressFlags.NoDad | AddressFlags.Home | AddressFlags.ManageTemporary | AddressFlags.NoPrefixRoute | AddressFlags.AutoJoin;

    /// <param name="address">As it is read.</param>
    /// <param name="link">The name of its link: a label of that name is the kernel's own, and goes with the name.</param>
    public static InterfaceAddress Of(InterfaceAddress address, string link) =>
        address with { Flags = address.Flags & SettableFlags, Label = address.Label == link ? null : address.Label };

    /// <param name="route">As it is read.</param>
    public static Route Of(Route route) => route with
    {
        Flags = route.Flags & RouteFlags.Onlink,
        NextHops = [.. route.NextHops.Select(static hop => hop with { Flags = hop.Flags & RouteFlags.Onlink })],
        NextHopId = null, // what it stands for is there as well
    };
}
