using Kata.Netlink;

namespace Kata.Network;

/// <summary>The routes of a namespace's main table that somebody has made, as a whole.</summary>
internal static class RouteSet
{
    /// <summary>Whether somebody made the route: not the kernel, by itself or because a router said so.</summary>
    public static bool IsOurs(Route route) => route.Table != RouteTables.Local
        && route.Protocol is not (RouteProtocol.Kernel or RouteProtocol.RouterAdvertisement or RouteProtocol.Redirect);

    /// <summary>The route with nothing that the kernel alone says of it, so that it can be made.</summary>
    public static Route Plain(Route route) => PlainRecords.Of(route) with { ExpiresIn = null };

    /// <summary>Those that a guest is told of, and that a change may take away.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static IReadOnlyList<Route> Read(NetlinkSocket netlink) =>
        [.. All(netlink).Where(IsOurs).Select(Plain)];

    /// <summary>Has the table hold these, and of others only those that the kernel makes by itself.</summary>
    /// <param name="netlink">The namespace.</param>
    /// <param name="wanted">One that the kernel has made counts as there.</param>
    /// <param name="links">The namespace's.</param>
    /// <exception cref="NetlinkException">The kernel refused. Those before the refused one are there.</exception>
    public static void Replace(NetlinkSocket netlink, IReadOnlyList<RouteRequest> wanted, IReadOnlyList<Link> links)
    {
        IReadOnlyList<Route> all = All(netlink);
        // A gateway has to be reachable by a route that is there.
        foreach (RouteRequest route in wanted
            .Where(route => !all.Any(other => route.Matches(other, links)))
            .OrderBy(static route => route.Gateway is not null))
        {
            // With the metric of the one that it comes instead of, there is no moment without either.
            Route? instead = all.FirstOrDefault(other => IsOurs(other) && other.Destination == route.Destination);
            netlink.Routes.Replace(route.ToRoute(links) with { Metric = instead?.Metric });
        }

        foreach (Route route in Read(netlink).Where(route => !wanted.Any(other => other.Matches(route, links))))
        {
            netlink.Routes.Delete(route);
        }
    }

    /// <summary>Has the table hold exactly what <see cref="Read"/> has read.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static void Restore(NetlinkSocket netlink, IReadOnlyList<Route> before)
    {
        IReadOnlyList<Route> present = Read(netlink);
        foreach (Route route in before.Except(present).OrderBy(static route => route.Gateway is not null))
        {
            netlink.Routes.Replace(route);
        }

        foreach (Route route in Read(netlink).Except(before))
        {
            netlink.Routes.Delete(route);
        }
    }

    private static IReadOnlyList<Route> All(NetlinkSocket netlink) =>
        [.. netlink.Routes.List(table: RouteTables.Main).Where(static route => route.Type == RouteType.Unicast)];
}
