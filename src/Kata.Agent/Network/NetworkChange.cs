using Kata.Agent.Protocol.Extension;
using Kata.Agent.Specifications;
using Kata.Netlink;

namespace Kata.Agent.Network;

/// <summary>Changes of the guest's network that the host says in rtnetlink's own messages.</summary>
/// <param name="netlink">The guest's network. Borrowed.</param>
/// <param name="links">The guest's number of a link by the host's.</param>
internal sealed class NetworkChange(NetlinkSocket netlink, IReadOnlyDictionary<int, int> links)
{
    private const LinkFlags Settable = LinkFlags.NoArp | LinkFlags.Promiscuous | LinkFlags.AllMulticast | LinkFlags.Multicast;

    private NetlinkException? _failure;

    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: they make no sense.</exception>
    public static IReadOnlyList<RouteEvent> Read(ReadOnlySpan<byte> changes)
    {
        try
        {
            return RouteEventCodec.Decode(changes);
        }
        catch (NetlinkProtocolException error)
        {
            throw AgentException.Invalid($"the changes of the network make no sense: {ErrorText.Of(error)}");
        }
    }

    /// <returns>The settings that the kernel refused, with its reasons.</returns>
    /// <exception cref="Grpc.Core.RpcException">
    /// InvalidArgument: a link is none of those that were told, or a setting is none of the network. Nothing is changed.
    /// </exception>
    /// <exception cref="NetlinkException">The kernel refused one, the first of those; all others are made.</exception>
    public IReadOnlyList<string> Apply(
        IReadOnlyList<NetworkInterface> interfaces, IReadOnlyList<NetworkSetting> settings, IReadOnlyList<RouteEvent> changes)
    {
        RouteEvent[] here = [.. changes.Select(Here)];
        foreach (NetworkSetting setting in settings)
        {
            NetworkSysctl.Require(setting.Path);
        }

        NetworkInterface[] shaped = [.. interfaces.Where(static item => item.Name.Length > 0)];
        foreach (NetworkInterface item in shaped)
        {
            Try(() => Shape(netlink.Links.Get(links[item.Number]), item));
        }

        string[] refused = [.. settings.Select(static item => NetworkSysctl.Follow(item.Path, item.Value)).OfType<string>()];
        foreach (RouteEvent change in here)
        {
            Try(() => Apply(change));
        }

        foreach (NetworkInterface item in shaped.Where(static item => !item.NoLinkLocal))
        {
            Try(() => Generate(netlink.Links.Get(links[item.Number]), AddressGeneration.Eui64));
        }

        if (_failure is not null)
        {
            throw _failure;
        }

        return refused;
    }

    private void Shape(Link link, NetworkInterface item)
    {
        Generate(link, AddressGeneration.None); // what the kernel makes when the link goes up, it looks for on the network first: a second
        InterfaceChange.Shape(netlink, link, item.Name, item.Mtu, (LinkFlags)item.Flags, Settable);
    }

    private void Generate(Link link, AddressGeneration generation)
    {
        if (link.AddressGeneration is { } present && present != generation)
        {
            netlink.Links.Change(link.Index, new LinkSettings { AddressGeneration = generation });
        }
    }

    private void Apply(RouteEvent change)
    {
        switch (change)
        {
            case AddressEvent { IsDeleted: true } e:
                Delete(e.Address);
                break;
            case AddressEvent e:
                Give(e.Address);
                break;
            case NeighbourEvent { IsDeleted: true } e:
                Ignoring(NetlinkErrno.ENOENT, () => netlink.Neighbours.Delete(e.Neighbour));
                break;
            case NeighbourEvent e:
                netlink.Neighbours.Replace(e.Neighbour);
                break;
            case RouteChangeEvent { IsDeleted: true } e:
                Ignoring(NetlinkErrno.ESRCH, () => netlink.Routes.Delete(e.Route));
                break;
            case RouteChangeEvent { Route.Destination.Family: Netlink.IPFamily.IPv4 } e:
                netlink.Routes.Replace(e.Route);
                break;
            case RouteChangeEvent e: // one of IPv6 would replace another to the same destination
                Ignoring(NetlinkErrno.EEXIST, () => netlink.Routes.Append(e.Route));
                break;
            case RuleEvent { IsDeleted: true } e:
                Ignoring(NetlinkErrno.ENOENT, () => netlink.Rules.Delete(e.Rule));
                break;
            case RuleEvent e:
                Ignoring(NetlinkErrno.EEXIST, () => netlink.Rules.Add(e.Rule));
                break;
        }
    }

    // That nobody else has it the host has made sure of, unless it is still about it: then the guest has to.
    private void Give(InterfaceAddress address)
    {
        if (address.Local.Family == Netlink.IPFamily.IPv6 && (address.Flags & AddressFlags.Tentative) == 0)
        {
            netlink.Addresses.Replace(address with { Flags = address.Flags | AddressFlags.NoDad });
        }

        netlink.Addresses.Replace(address with { Flags = address.Flags & ~AddressFlags.Tentative }); // without the flag that it is seen by
    }

    // With the first of a prefix the kernel takes the others of IPv4 away.
    private void Delete(InterfaceAddress address)
    {
        IReadOnlyList<InterfaceAddress> before = netlink.Addresses.List(address.Local.Family, address.LinkIndex);
        Ignoring(NetlinkErrno.EADDRNOTAVAIL, () => netlink.Addresses.Delete(address));
        IReadOnlyList<InterfaceAddress> after = netlink.Addresses.List(address.Local.Family, address.LinkIndex);
        foreach (InterfaceAddress lost in before.Where(
            item => item.Local != address.Local && !after.Any(other => other.Local == item.Local && Equals(other.Peer, item.Peer))))
        {
            netlink.Addresses.Replace(lost with { Flags = lost.Flags & ~(AddressFlags.Secondary | AddressFlags.Permanent) });
        }
    }

    private void Try(Action change)
    {
        try
        {
            change();
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.EACCES)
        {
            // Somebody in the guest has disabled IPv6 there (disable_ipv6), and wants it so.
        }
        catch (NetlinkException error)
        {
            _failure ??= error;
        }
    }

    private static void Ignoring(NetlinkErrno errno, Action change)
    {
        try
        {
            change();
        }
        catch (NetlinkException error) when (error.Errno == errno)
        {
            // It is so already.
        }
    }

    private RouteEvent Here(RouteEvent change) => change switch
    {
        AddressEvent e => e with { Address = e.Address with { LinkIndex = Here(e.Address.LinkIndex) } },
        NeighbourEvent e => e with { Neighbour = e.Neighbour with { LinkIndex = Here(e.Neighbour.LinkIndex) } },
        RouteChangeEvent e => e with
        {
            Route = e.Route with
            {
                LinkIndex = e.Route.LinkIndex is { } link ? Here(link) : null,
                NextHops = [.. e.Route.NextHops.Select(hop => hop with { LinkIndex = hop.LinkIndex is { } way ? Here(way) : null })],
            },
        },
        _ => change,
    };

    private int Here(int link) => links.TryGetValue(link, out int here) ? here
        : throw AgentException.Invalid($"a change of the network is about the link {link}, which is none of the request's interfaces");
}
