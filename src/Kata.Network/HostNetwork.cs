using Kata.Netlink;

namespace Kata.Network;

/// <summary>What a network namespace has, at one moment.</summary>
/// <param name="Links">By their number.</param>
/// <param name="Addresses">Of all links.</param>
/// <param name="Routes">Of all tables.</param>
/// <param name="Neighbours">Of all links.</param>
/// <param name="Rules">Of both families.</param>
internal sealed record HostNetwork(
    IReadOnlyList<Link> Links,
    IReadOnlyList<InterfaceAddress> Addresses,
    IReadOnlyList<Route> Routes,
    IReadOnlyList<Neighbour> Neighbours,
    IReadOnlyList<RoutingRule> Rules)
{
    /// <summary>Reads it.</summary>
    /// <exception cref="NetworkException">The kernel refused.</exception>
    public static HostNetwork Read(NetworkNamespace space)
    {
        NetlinkSocket netlink = space.Netlink;
        try
        {
            return new HostNetwork(
                netlink.Links.List(), netlink.Addresses.List(), netlink.Routes.List(), netlink.Neighbours.List(), netlink.Rules.List());
        }
        catch (Exception error) when (error is NetlinkException or NetlinkProtocolException)
        {
            throw new NetworkException($"Cannot read the network of '{space.Path}'", error);
        }
    }
}
