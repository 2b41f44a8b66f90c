using System.Net;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>A route that somebody asks for.</summary>
internal sealed record RouteRequest
{
    public required IPPrefix Destination { get; init; }

    /// <summary>The next router; null when the destination is on the link.</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>Whether it does not matter what the gateway is, in what is only looked for.</summary>
    public bool IsAnyGateway { get; init; }

    /// <summary>The link's name; empty leaves it to the gateway.</summary>
    public string Device { get; init; } = "";

    /// <summary>The address that packets are sent from; null leaves it to the kernel.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>Null leaves it to what fits the rest.</summary>
    public RouteScope? Scope { get; init; }

    /// <summary>The gateway is on the link, although no route says so.</summary>
    public bool Onlink { get; init; }

    /// <summary>The largest packet that takes it, in bytes; 0 for the link's.</summary>
    public uint Mtu { get; init; }

    /// <summary>Whether a route is this one. What is not said does not matter.</summary>
    public bool Matches(Route route, IReadOnlyList<Link> links) =>
        route.Destination == Destination
        && (IsAnyGateway || Equals(route.Gateway, Gateway))
        && (Device.Length == 0 || (route.LinkIndex is { } index && index == IndexOf(links)))
        && (Source is null || Source.Equals(route.PreferredSource))
        && (!Onlink || route.Flags.HasFlag(RouteFlags.Onlink))
        && (Mtu == 0 || route.Metrics?.Mtu == Mtu);

    public Route ToRoute(IReadOnlyList<Link> links) => new()
    {
        Destination = Destination,
        Gateway = Gateway,
        LinkIndex = IndexOf(links),
        PreferredSource = Source,
        Scope = Destination.Family == IPFamily.IPv4 ? Scope : null, // IPv6 knows none
        Protocol = RouteProtocol.Static,
        Flags = Onlink ? RouteFlags.Onlink : RouteFlags.None,
        Metrics = Mtu > 0 ? new RouteMetrics { Mtu = Mtu } : null,
    };

    public override string ToString() =>
        $"{Destination}{(Gateway is null ? "" : $" via {Gateway}")}{(Device.Length == 0 ? "" : $" dev {Device}")}";

    private int? IndexOf(IReadOnlyList<Link> links) => links.FirstOrDefault(link => link.Name == Device)?.Index;
}
