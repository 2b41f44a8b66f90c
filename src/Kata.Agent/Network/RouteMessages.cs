using System.Net;
using Kata.Netlink;

namespace Kata.Agent.Network;

/// <summary>Routes as the host's messages have them.</summary>
internal static class RouteMessages
{
    public static Protocol.Route Of(Netlink.Route route, IEnumerable<Link> links) => new()
    {
        Dest = route.Destination.Length == 0 ? "" : route.Destination.ToString(),
        Gateway = route.Gateway?.ToString() ?? "",
        Device = links.FirstOrDefault(link => link.Index == route.LinkIndex)?.Name ?? "",
        Source = route.PreferredSource?.ToString() ?? "",
        Scope = (uint)(route.Scope ?? RouteScope.Universe),
        Family = route.Destination.Family == Netlink.IPFamily.IPv6 ? Protocol.IPFamily.V6 : Protocol.IPFamily.V4,
        Flags = (uint)route.Flags,
        Mtu = route.Metrics?.Mtu ?? 0,
    };

    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: a value makes no sense.</exception>
    public static Netlink.Route Parse(Protocol.Route route, IEnumerable<Link> links)
    {
        bool isIPv6 = route.Family == Protocol.IPFamily.V6;
        IPPrefix destination = route.Dest is "" or "default"
            ? isIPv6 ? IPPrefix.AnyIPv6 : IPPrefix.AnyIPv4
            : IPPrefix.TryParse(route.Dest, out IPPrefix prefix) ? prefix
            : throw AgentException.Invalid($"'{route.Dest}' is no destination of a route");
        IPAddress? source = Address(route.Source, "source");
        if (source is not null && source.AddressFamily != destination.Address.AddressFamily)
        {
            throw AgentException.Invalid($"'{route.Source}' is no source of a route to '{destination}': one is IPv4 and the other IPv6");
        }

        return new Netlink.Route
        {
            Destination = destination,
            Gateway = Address(route.Gateway, "gateway"),
            LinkIndex = route.Device.Length == 0 ? null : InterfaceMessages.Named(links, route.Device).Index,
            PreferredSource = source,
            Scope = destination.Family == Netlink.IPFamily.IPv4 ? (RouteScope)route.Scope : null, // IPv6 knows none
            Flags = (RouteFlags)route.Flags & RouteFlags.Onlink,
            Metrics = route.Mtu > 0 ? new RouteMetrics { Mtu = route.Mtu } : null,
        };
    }

    private static IPAddress? Address(string text, string what) =>
        text.Length == 0 ? null
        : IPAddress.TryParse(text, out IPAddress? address) ? address
        : throw AgentException.Invalid($"'{text}' is no {what} of a route");
}
