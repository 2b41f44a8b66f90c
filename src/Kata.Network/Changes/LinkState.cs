using Kata.Netlink;

namespace Kata.Network;

/// <summary>What people set of a link, as it is or as it is to be.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Its hardware address.</param>
/// <param name="Mtu">The largest packet, in bytes.</param>
/// <param name="IsUp">Whether it is on.</param>
/// <param name="NoArp">Whether it does without ARP.</param>
/// <param name="Controller">The number of the bridge, or the like, that it is a port of; 0 for none.</param>
/// <param name="Addresses">Without those that the kernel makes by itself.</param>
/// <param name="Routes">On it, of all tables, without those that the kernel makes by itself.</param>
/// <param name="Neighbours">Those that somebody has set.</param>
internal sealed record LinkState(
    string Name, LinkAddress Address, uint Mtu, bool IsUp, bool NoArp, int Controller,
    IReadOnlyList<InterfaceAddress> Addresses, IReadOnlyList<Route> Routes, IReadOnlyList<Neighbour> Neighbours)
{
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static LinkState Read(NetlinkSocket netlink, Link link) => new(
        link.Name, link.Address, link.Mtu, link.Flags.HasFlag(LinkFlags.Up), link.Flags.HasFlag(LinkFlags.NoArp), link.Controller ?? 0,
        [
            .. netlink.Addresses.List(linkIndex: link.Index)
                .Where(static address => !IsKernels(address)).Select(address => PlainRecords.Of(address, link.Name)),
        ],
        [.. netlink.Routes.List().Where(route => RouteSet.IsOurs(route) && IsOn(route, link.Index))],
        [
            .. netlink.Neighbours.List().Where(
                item => item.LinkIndex == link.Index && item.State.HasFlag(NeighbourState.Permanent)),
        ]);

    /// <summary>
    /// Brings a link to this, with as few changes as that takes: it may carry traffic just now. Routes that lead nowhere any more, as their
    /// source or the way to their gateway is gone, go.
    /// </summary>
    /// <exception cref="NetlinkException">The kernel refused; <see cref="NetlinkErrno.ENODEV"/> when there is no such link.</exception>
    public void Apply(NetlinkSocket netlink, int index)
    {
        Link link = netlink.Links.Get(index);
        if (link.Name != Name)
        {
            ChangeAtRest(netlink, index, new LinkSettings { Name = Name });
        }

        if (link.Address != Address)
        {
            ChangeAtRest(netlink, index, new LinkSettings { Address = Address });
        }

        if (link.Mtu != Mtu)
        {
            netlink.Links.Change(index, new LinkSettings { Mtu = Mtu });
        }

        if ((link.Controller ?? 0) != Controller)
        {
            netlink.Links.Change(index, new LinkSettings { Controller = Controller });
        }

        LinkFlags set = (IsUp ? LinkFlags.Up : LinkFlags.None) | (NoArp ? LinkFlags.NoArp : LinkFlags.None);
        netlink.Links.Change(index, new LinkSettings { SetFlags = set, ClearFlags = (LinkFlags.Up | LinkFlags.NoArp) & ~set });
        Readdress(netlink, index);
        if (IsUp)
        {
            Reroute(netlink, index);
        }
    }

    // Some links take a name or an address only while they are off, which costs their routes: those come back at the end.
    private static void ChangeAtRest(NetlinkSocket netlink, int index, LinkSettings settings)
    {
        try
        {
            netlink.Links.Change(index, settings);
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.EBUSY)
        {
            netlink.Links.SetDown(index);
            netlink.Links.Change(index, settings);
        }
    }

    // It makes link-local ones, and those of prefixes that routers announce, which last for some time.
    private static bool IsKernels(InterfaceAddress address) => address.Local.Family == IPFamily.IPv6
        && (address.Local.Address.IsIPv6LinkLocal || address.ValidLifetime is not null);

    private static bool IsOn(Route route, int index) =>
        route.LinkIndex == index || route.NextHops.Any(hop => hop.LinkIndex == index);

    private static bool IsSame(InterfaceAddress one, InterfaceAddress other) => one.Local == other.Local && Equals(one.Peer, other.Peer);

    // New ones first: with its last address a link loses its routes.
    private void Readdress(NetlinkSocket netlink, int index)
    {
        AddMissing(netlink, index);
        // The kernel takes others of the same prefix away with the first of them: that one goes last, and then it is seen who is left.
        foreach (InterfaceAddress address in netlink.Addresses.List(linkIndex: index).Reverse()
            .Where(item => !IsKernels(item) && !Addresses.Any(other => IsSame(item, other))))
        {
            netlink.Addresses.Delete(address);
        }

        AddMissing(netlink, index);
    }

    private void AddMissing(NetlinkSocket netlink, int index)
    {
        IReadOnlyList<InterfaceAddress> present = netlink.Addresses.List(linkIndex: index);
        foreach (InterfaceAddress address in Addresses.Where(address => !present.Any(item => IsSame(item, address))))
        {
            netlink.Addresses.Replace(address with { LinkIndex = index });
        }
    }

    private void Reroute(NetlinkSocket netlink, int index)
    {
        NetlinkBatch batch = netlink.CreateBatch();
        foreach (Route route in Routes.OrderBy(static route => route.Gateway is not null))
        {
            batch.Routes.Add(RouteSet.Plain(route) with { LinkIndex = route.LinkIndex is null ? null : index });
        }

        foreach (Neighbour neighbour in Neighbours)
        {
            batch.Neighbours.Replace(neighbour with { LinkIndex = index });
        }

        _ = batch.SendEach(); // they are there already, or lead nowhere
    }
}
