using System.Globalization;
using Kata.Agent.Protocol;
using Kata.Netlink;
using Kata.Network;
using GuestRoute = Kata.Agent.Protocol.Route;
using HostRoute = Kata.Netlink.Route;

namespace Kata.Sandbox;

/// <summary>What the guest is told of its network, made from what the pod's namespace has. Pure.</summary>
/// <param name="Interfaces">One for each card, by the link's number.</param>
/// <param name="Routes">Of the main table.</param>
/// <param name="Neighbours">Those that somebody has set.</param>
internal sealed record GuestNetwork(
    IReadOnlyList<Interface> Interfaces, IReadOnlyList<GuestRoute> Routes, IReadOnlyList<ARPNeighbor> Neighbours)
{
    /// <summary>A guest that has been told nothing.</summary>
    public static GuestNetwork Empty { get; } = new([], [], []);

    /// <param name="network">The namespace.</param>
    /// <param name="cards">What the guest has cards for.</param>
    public static GuestNetwork Of(HostNetwork network, IReadOnlyList<EndpointPlan> cards)
    {
        Dictionary<int, string> names = cards.ToDictionary(static card => card.LinkIndex, static card => card.Name);
        return new GuestNetwork(
            [.. cards.Select(card => InterfaceOf(card, network))],
            [
                .. network.Routes
                    .Where(route => IsForGuest(route) && names.ContainsKey(route.LinkIndex ?? 0))
                    .Select(route => RouteOf(route, names[route.LinkIndex!.Value])),
            ],
            [
                .. network.Neighbours
                    .Where(neighbour => neighbour.State.HasFlag(NeighbourState.Permanent) && names.ContainsKey(neighbour.LinkIndex))
                    .Select(neighbour => NeighbourOf(neighbour, names[neighbour.LinkIndex])),
            ]);
    }

    // The kernel makes its own with the addresses, in the guest as well.
    private static bool IsForGuest(HostRoute route) =>
        route is { Table: RouteTables.Main, Type: RouteType.Unicast, Protocol: not RouteProtocol.Kernel };

    private static Interface InterfaceOf(EndpointPlan card, HostNetwork network)
    {
        Link link = network.Links.First(link => link.Index == card.LinkIndex);
        return new Interface
        {
            Device = card.Name,
            Name = card.Name,
            HwAddr = card.Address.ToString(),
            Mtu = card.Mtu,
            RawFlags = (uint)(link.Flags & LinkFlags.NoArp),
            Type = link.Kind?.Name ?? "",
            IPAddresses =
            {
                network.Addresses.Where(address => address.LinkIndex == card.LinkIndex).Select(static address => new IPAddress
                {
                    Family = FamilyOf(address.Local.Family),
                    Address = address.Local.Address.ToString(),
                    Mask = address.Local.Length.ToString(CultureInfo.InvariantCulture),
                }),
            },
        };
    }

    private static GuestRoute RouteOf(HostRoute route, string device) => new()
    {
        Dest = route.Destination.Length == 0 ? "" : route.Destination.ToString(),
        Gateway = route.Gateway?.ToString() ?? "",
        Device = device,
        Source = route.PreferredSource?.ToString() ?? "",
        Scope = (uint)(route.Scope ?? RouteScope.Universe),
        Family = FamilyOf(route.Destination.Family),
        Flags = (uint)(route.Flags & RouteFlags.Onlink),
        Mtu = route.Metrics?.Mtu ?? 0,
    };

    private static ARPNeighbor NeighbourOf(Neighbour neighbour, string device) => new()
    {
        ToIPAddress = new IPAddress
        {
            Family = FamilyOf(new IPPrefix(neighbour.Address, 0).Family),
            Address = neighbour.Address.ToString(),
        },
        Device = device,
        Lladdr = neighbour.LinkAddress.ToString(),
        State = (int)NeighbourState.Permanent,
        Flags = (int)neighbour.Flags,
    };

    private static Agent.Protocol.IPFamily FamilyOf(Netlink.IPFamily family) =>
        family == Netlink.IPFamily.IPv6 ? Agent.Protocol.IPFamily.V6 : Agent.Protocol.IPFamily.V4;
}
