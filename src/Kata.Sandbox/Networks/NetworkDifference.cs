using Google.Protobuf;
using Kata.Agent.Protocol.Extension;
using Kata.Netlink;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>
/// What has to be said to a guest so that it goes from one state of its network to another, in the order in which a kernel takes it. What
/// the guest has besides is its own and stays. Pure.
/// </summary>
internal static class NetworkDifference
{
    /// <summary>So that no message is too large: a change has 50 to 200 bytes.</summary>
    private const int ChangesPerRequest = 8192;

    /// <param name="certain">What the guest has of what it was told.</param>
    /// <param name="possible">What it may have of that: the same, unless a call has failed.</param>
    /// <param name="now">What it is to have. Of links that it does not name any more nothing is said.</param>
    public static IReadOnlyList<ChangeNetworkRequest> Between(NetworkState certain, NetworkState possible, NetworkState now)
    {
        RouteEvent[] changes = [.. Changes(certain, possible, now)];
        NetworkInterface[] changed = [.. now.Interfaces.Except(certain.Interfaces).Where(static item => item.Name.Length > 0)];
        NetworkSetting[] settings = [.. Settings(certain, possible, now)];
        RouteEvent[][] parts = [.. changes.Chunk(ChangesPerRequest)];
        return
        [
            .. (parts.Length == 0 && changed.Length + settings.Length > 0 ? [[]] : parts).Select((part, index) => new ChangeNetworkRequest
            {
                Settings = { index == 0 ? settings : [] },
                Interfaces = { now.Interfaces.Select(item => index == 0 && changed.Contains(item) ? item : Unchanged(item)) },
                Changes = UnsafeByteOperations.UnsafeWrap(RouteEventCodec.Encode(part)),
            }),
        ];
    }

    private static IEnumerable<RouteEvent> Changes(NetworkState certain, NetworkState possible, NetworkState now)
    {
        HashSet<int> present = [.. now.Interfaces.Select(static item => item.Number)];
        NetworkState kept = certain.Without(Renamed(certain, now)); // a link goes down for its name, and the kernel takes much of it away
        InterfaceAddress[] goneAddresses =
        [
            .. Gone(possible.Addresses, now.Addresses, Identity)
                .Where(item => present.Contains(item.LinkIndex) && !IsTemporary(item)).Reverse(),
        ];
        Route[] goneRoutes =
        [
            .. Gone(possible.Routes, now.Routes, Identity)
                .Where(item => NetworkState.LinksOf(item).All(present.Contains) && !IsTemporary(item)),
        ];

        // With an address of IPv4 the kernel takes others of its prefix away, and routes with them: they are said again.
        int[] shaken =
            [.. goneAddresses.Where(static item => item.Local.Family == IPFamily.IPv4).Select(static item => item.LinkIndex).Distinct()];

        // The others go last: there is a way all the time.
        ILookup<IPPrefix, Route> wanted = now.Routes.ToLookup(static item => item.Destination);
        Func<Route, bool> isInTheWay = gone => !IsReplaceable(gone)
            && (gone.NextHops.Count > 0 || wanted[gone.Destination].Any(item => item.NextHops.Count > 0 || Way(item) == Way(gone)));
        return
        [
            .. goneAddresses.Select(static item => new AddressEvent(true, item)),
            .. New(kept.Addresses, now.Addresses, Identity, Content).Select(static item => new AddressEvent(false, item)),
            .. New(kept.Neighbours, now.Neighbours, Identity, Content).Select(static item => new NeighbourEvent(false, item)),
            .. goneRoutes.Where(isInTheWay).Select(static item => new RouteChangeEvent(true, item)),
            .. New(kept.Without(shaken).Routes, now.Routes, Identity, Content)
                .OrderBy(HasGateway).Select(static item => new RouteChangeEvent(false, item)),
            .. goneRoutes.Where(item => !isInTheWay(item)).Select(static item => new RouteChangeEvent(true, item)),
            .. now.Rules.Except(certain.Rules).Select(static item => new RuleEvent(false, item)),
            .. possible.Rules.Except(now.Rules).Select(static item => new RuleEvent(true, item)),
            .. Gone(possible.Neighbours, now.Neighbours, Identity)
                .Where(item => present.Contains(item.LinkIndex)).Select(static item => new NeighbourEvent(true, item)),
        ];
    }

    // What somebody has set back is as in a new namespace.
    private static IEnumerable<NetworkSetting> Settings(NetworkState certain, NetworkState possible, NetworkState now)
    {
        HashSet<NamespaceSetting> said = [.. certain.Without(Renamed(certain, now)).Settings];
        HashSet<string> paths = [.. now.Settings.Select(static item => item.Path)];
        NamespaceSetting[] gone =
        [
            .. possible.Settings.Where(item => paths.Add(item.Path)).Select(static item => item with { Value = item.Initial }),
        ];

        // Those of all links change the links' own, which are said again.
        bool common = now.Settings.Except(said).Concat(gone).Any(static item => item.Order is 1 or 2);
        return now.Settings.Where(item => !said.Contains(item) || (common && item.Link is not null)).Concat(gone)
            .OrderBy(static item => item.Order).Select(static item => new NetworkSetting { Path = item.Path, Value = item.Value });
    }

    private static int[] Renamed(NetworkState before, NetworkState now) =>
        [.. now.Interfaces.Where(item => !before.Interfaces.Any(other => IsSame(item, other))).Select(static item => item.Number)];

    private static NetworkInterface Unchanged(NetworkInterface item) =>
        new() { Number = item.Number, HardwareAddress = item.HardwareAddress };

    private static bool IsSame(NetworkInterface one, NetworkInterface other) =>
        (one.Number, one.HardwareAddress, one.Name) == (other.Number, other.HardwareAddress, other.Name);

    // A gateway has to be reachable by a route that is there.
    private static bool HasGateway(Route route) => route.Gateway is not null || route.NextHops.Any(static hop => hop.Gateway is not null);

    // Routers announce them, to the guest as well from then on: they are said once, and the guest's kernel ends them.
    private static bool IsTemporary(InterfaceAddress address) => address is { Local.Family: IPFamily.IPv6, ValidLifetime: not null };

    private static bool IsTemporary(Route route) => route.ExpiresIn is not null || route.Protocol == RouteProtocol.RouterAdvertisement;

    // The kernel has one of IPv6 once for each way.
    private static Route Way(Route route) => new()
    {
        Destination = route.Destination,
        Table = route.Table,
        Metric = route.Metric,
        Gateway = route.Gateway,
        LinkIndex = route.LinkIndex,
    };

    // Of IPv4 one takes the place of another to the destination; of IPv6 there may be several.
    private static bool IsReplaceable(Route route) => route.Destination.Family == IPFamily.IPv4;

    // By which the kernel knows an address: the rest can be changed.
    private static InterfaceAddress Identity(InterfaceAddress address) =>
        address with { Flags = AddressFlags.None, ValidLifetime = null, PreferredLifetime = null, RoutePriority = null };

    private static InterfaceAddress Content(InterfaceAddress address) =>
        IsTemporary(address) ? Identity(address) : address with { Flags = address.Flags & ~AddressFlags.Tentative };

    private static Route Identity(Route route) => !IsReplaceable(route) ? Content(route) : new Route
    {
        Destination = route.Destination,
        Table = route.Table,
        TypeOfService = route.TypeOfService,
        Metric = route.Metric ?? 0,
    };

    private static Route Content(Route route) => route with { ExpiresIn = null };

    private static Neighbour Identity(Neighbour neighbour) =>
        new() { LinkIndex = neighbour.LinkIndex, Address = neighbour.Address, Flags = neighbour.Flags & NeighbourFlags.Proxy };

    private static Neighbour Content(Neighbour neighbour) => neighbour;

    private static IEnumerable<T> Gone<T>(IEnumerable<T> before, IEnumerable<T> now, Func<T, T> identity)
        where T : class => before.ExceptBy(now.Select(identity), identity);

    private static IEnumerable<T> New<T>(IEnumerable<T> before, IEnumerable<T> now, Func<T, T> identity, Func<T, T> content)
        where T : class
    {
        HashSet<T> there = [.. before.Select(content)];
        return now.DistinctBy(identity).Where(item => !there.Contains(content(item)));
    }
}
