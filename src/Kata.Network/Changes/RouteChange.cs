using Kata.Netlink;

namespace Kata.Network;

/// <summary>Changes the routes of a pod.</summary>
/// <param name="all">What there is to be, all of it; null for what there is.</param>
/// <param name="add">Beside these.</param>
/// <param name="remove">And not these.</param>
internal sealed class RouteChange(
    IReadOnlyList<RouteRequest>? all, IReadOnlyList<RouteRequest> add, IReadOnlyList<RouteRequest> remove) : NetworkChange
{
    private IReadOnlyList<Route>? _before;

    public override string Action => "change the routes";

    public override void Do(NetworkNamespace space, IReadOnlyCollection<int> cards)
    {
        IReadOnlyList<Link> links = space.Netlink.Links.List();
        IReadOnlyList<Route> before = RouteSet.Read(space.Netlink);
        RouteRequest? unknown = (all ?? []).Concat(add).FirstOrDefault(
            route => route.Device.Length > 0 && !links.Any(link => link.Name == route.Device));
        if (unknown is not null)
        {
            throw Cannot(
                $"the pod has no interface '{unknown.Device}', which the route '{unknown}' names. "
                    + "See 'kata-runtime network list-ifaces'",
                NetworkError.NotFound);
        }

        if (remove.FirstOrDefault(route => !before.Any(other => route.Matches(other, links))) is { } missing)
        {
            throw Cannot($"there is no route '{missing}'. See 'kata-runtime network list-routes'", NetworkError.NotFound);
        }

        _before = before;
        if (all is not null)
        {
            RouteSet.Replace(space.Netlink, all, links);
        }

        foreach (RouteRequest route in add.Where(route => !RouteSet.Read(space.Netlink).Any(other => route.Matches(other, links))))
        {
            space.Netlink.Routes.Add(route.ToRoute(links));
        }

        foreach (Route route in RouteSet.Read(space.Netlink).Where(route => remove.Any(other => other.Matches(route, links))))
        {
            space.Netlink.Routes.Delete(route);
        }

        RequireCards(space, cards, links);
    }

    public override void Undo(NetworkNamespace space)
    {
        if (_before is not null)
        {
            RouteSet.Restore(space.Netlink, _before);
        }
    }

    // A guest is not told of a route on a link that is not its own.
    private void RequireCards(NetworkNamespace space, IReadOnlyCollection<int> cards, IReadOnlyList<Link> links)
    {
        IReadOnlyList<Route> made = RouteSet.Read(space.Netlink);
        foreach (RouteRequest route in (all ?? []).Concat(add))
        {
            if (made.FirstOrDefault(other => route.Matches(other, links)) is { LinkIndex: { } index } && !cards.Contains(index))
            {
                string name = links.FirstOrDefault(link => link.Index == index)?.Name ?? "";
                throw Cannot(
                    $"the route '{route}' is on the interface '{name}', which the guest does not have. "
                        + "See 'kata-runtime network list-ifaces'");
            }
        }
    }
}
