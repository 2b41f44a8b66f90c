using Kata.Netlink;

namespace Kata.Agent.Network;

/// <summary>Brings the main table of routes to what the host wants, with as few changes as that takes.</summary>
internal static class RouteChange
{
    public static void Apply(NetlinkSocket netlink, IReadOnlyList<Route> wanted)
    {
        // The kernel's own come and go with addresses.
        List<Route> present =
        [
            .. netlink.Routes.List(table: RouteTables.Main).Where(static route => route is { Protocol: not RouteProtocol.Kernel }),
        ];
        foreach (Route route in present.Where(route => !wanted.Any(other => IsSame(route, other))))
        {
            netlink.Routes.Delete(route);
        }

        // A gateway has to be reachable by a route that is there.
        foreach (Route route in wanted
            .Where(route => !present.Any(other => IsSame(other, route)))
            .OrderBy(static route => route.Gateway is not null))
        {
            netlink.Routes.Replace(route);
        }
    }

    private static bool IsSame(Route one, Route other) =>
        one.Destination == other.Destination
        && Equals(one.Gateway, other.Gateway)
        && (one.LinkIndex == other.LinkIndex || one.LinkIndex is null || other.LinkIndex is null)
        && Equals(one.PreferredSource, other.PreferredSource)
        && (one.Flags & RouteFlags.Onlink) == (other.Flags & RouteFlags.Onlink)
        && (one.Metrics?.Mtu ?? 0) == (other.Metrics?.Mtu ?? 0);
}
