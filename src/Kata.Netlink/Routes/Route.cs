using System.Net;

namespace Kata.Netlink;

/// <summary>A route: as it is to be, or as it is read.</summary>
public sealed partial record Route
{
    private readonly ValueList<RouteNextHop> _nextHops;

    /// <summary>The destination has to be given.</summary>
    public Route()
    {
    }

    /// <summary>Where it goes; <see cref="IPPrefix.AnyIPv4"/> or <see cref="IPPrefix.AnyIPv6"/> for the default route.</summary>
    public required IPPrefix Destination { get; init; }

    /// <summary>IPv6: from where packets have to come; null for anywhere.</summary>
    public IPPrefix? Source { get; init; }

    /// <summary>The next router, of either family; null when the destination is on the link.</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>The index of the link; null leaves it to the gateway, or there is none.</summary>
    public int? LinkIndex { get; init; }

    /// <summary>Several ways instead of <see cref="Gateway"/> and <see cref="LinkIndex"/>; empty for one.</summary>
    public IReadOnlyList<RouteNextHop> NextHops
    {
        get => _nextHops.Items;
        init => _nextHops = new ValueList<RouteNextHop>(value);
    }

    /// <summary>The id of a next hop object instead of all of them; null for none.</summary>
    public uint? NextHopId { get; init; }

    /// <summary>The address that packets are sent from; null leaves it to the kernel.</summary>
    public IPAddress? PreferredSource { get; init; }

    /// <summary>The number of its table; see <see cref="RouteTables"/>.</summary>
    public uint Table { get; init; } = RouteTables.Main;

    /// <summary>The metric: of several routes to a destination the one with the lowest is taken. Null is 0, or 1024 for IPv6.</summary>
    public uint? Metric { get; init; }

    /// <summary>What happens to packets.</summary>
    public RouteType Type { get; init; } = RouteType.Unicast;

    /// <summary>
    /// How far away the destination is. For null a new route has what ip(8) takes: <see cref="RouteScope.Host"/> for a local one,
    /// <see cref="RouteScope.Link"/> without a gateway; and to delete one it does not matter.
    /// </summary>
    public RouteScope? Scope { get; init; }

    /// <summary>Who made it. For null a new route has <see cref="RouteProtocol.Boot"/>, and to delete one it does not matter.</summary>
    public RouteProtocol? Protocol { get; init; }

    /// <summary>IPv4: the type of service of the packets it is for.</summary>
    public byte TypeOfService { get; init; }

    /// <summary>Its flags; of these only <see cref="RouteFlags.Onlink"/> can be given.</summary>
    public RouteFlags Flags { get; init; }

    /// <summary>What connections over it use; null for nothing.</summary>
    public RouteMetrics? Metrics { get; init; }

    /// <summary>IPv6: which router is preferred; null leaves it to the kernel.</summary>
    public RoutePreference? Preference { get; init; }

    /// <summary>IPv6: how long it lasts from now, in whole seconds when it is given; null for ever.</summary>
    public TimeSpan? ExpiresIn { get; init; }
}
