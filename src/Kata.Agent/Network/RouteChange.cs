using Kata.Netlink;

namespace Kata.Agent.Network;

/// <summary>Brings the main table of routes to what the host wants, with as few changes as that takes and without a gap.</summary>
internal static class RouteChange
{
    /// <param name="netlink">The guest's network.</param>
    /// <param name="wanted">
    /// Of several to one destination the first counts: messages have no metric, by which they would differ, and the host's kernel lists
    /// them by it.
    /// </param>
    /// <exception cref="NetlinkException">The kernel refused. Those before the refused one are there.</exception>
    public static void Apply(NetlinkSocket netlink, IReadOnlyList<Route> wanted)
    {
        Dictionary<IPPrefix, Route> routes = [];
        foreach (Route route in wanted)
        {
            routes.TryAdd(route.Destination, route);
        }

        // A gateway has to be reachable by a route that is there.
        ILookup<IPPrefix, Route> before = Present(netlink).ToLookup(static route => route.Destination);
        foreach (Route route in routes.Values
            .Where(route => !before[route.Destination].Any(other => IsSame(other, route)))
            .OrderBy(static route => route.Gateway is not null))
        {
            netlink.Routes.Replace(route);
        }

        foreach (Route route in Present(netlink)
            .Where(route => !routes.TryGetValue(route.Destination, out Route? other) || !IsSame(route, other)))
        {
            netlink.Routes.Delete(route);
        }
    }

    // Without those that the kernel makes by itself: for addresses, and for what routers say.
    private static IEnumerable<Route> Present(NetlinkSocket netlink) => netlink.Routes.List(table: RouteTables.Main).Where(static route =>
        route.Protocol is not (RouteProtocol.Kernel or RouteProtocol.RouterAdvertisement or RouteProtocol.Redirect));

    private static bool IsSame(Route one, Route other) =>
        one.Destination == other.Destination
        && one.Type == other.Type
        && Equals(one.Gateway, other.Gateway)
        && (one.LinkIndex == other.LinkIndex || one.LinkIndex is null || other.LinkIndex is null)
        && Equals(one.PreferredSource, other.PreferredSource)
        && (one.Flags & RouteFlags.Onlink) == (other.Flags & RouteFlags.Onlink)
        && (one.Metrics?.Mtu ?? 0) == (other.Metrics?.Mtu ?? 0);
}
