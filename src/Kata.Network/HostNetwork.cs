using Kata.Netlink;

namespace Kata.Network;

/// <summary>What a network namespace has, at one moment.</summary>
/// <param name="Links">By their number.</param>
/// <param name="Addresses">Of all links.</param>
/// <param name="Routes">Of all tables.</param>
/// <param name="Neighbours">Of all links, and those that are answered for.</param>
/// <param name="Rules">Of both families.</param>
internal sealed record HostNetwork(
    IReadOnlyList<Link> Links,
    IReadOnlyList<InterfaceAddress> Addresses,
    IReadOnlyList<Route> Routes,
    IReadOnlyList<Neighbour> Neighbours,
    IReadOnlyList<RoutingRule> Rules)
{
    /// <summary>Sysctls that are not as in a new namespace, in the order in which they are to be set.</summary>
    public IReadOnlyList<NamespaceSetting> Settings { get; init; } = [];

    /// <summary>What there is of one link alone, as if its number were another.</summary>
    public HostNetwork OfLink(int link, int number) => new(
        [.. Links.Where(item => item.Index == link).Select(item => item with { Index = number })],
        [.. Addresses.Where(item => item.LinkIndex == link).Select(item => item with { LinkIndex = number })],
        [.. Routes.Where(item => item.LinkIndex == link).Select(item => item with { LinkIndex = number })],
        [.. Neighbours.Where(item => item.LinkIndex == link).Select(item => item with { LinkIndex = number })],
        []);

    /// <summary>With all that others have.</summary>
    public HostNetwork With(IReadOnlyCollection<HostNetwork> others) => new(
        [.. Links, .. others.SelectMany(static other => other.Links)],
        [.. Addresses, .. others.SelectMany(static other => other.Addresses)],
        [.. Routes, .. others.SelectMany(static other => other.Routes)],
        [.. Neighbours, .. others.SelectMany(static other => other.Neighbours)],
        Rules);

    /// <summary>Reads it.</summary>
    /// <exception cref="NetworkException">The kernel refused.</exception>
    public static HostNetwork Read(NetworkNamespace space)
    {
        NetlinkSocket netlink = space.Netlink;
        try
        {
            return new HostNetwork(
                netlink.Links.List(), netlink.Addresses.List(), netlink.Routes.List(),
                [.. netlink.Neighbours.List(), .. netlink.Neighbours.ListProxies()], netlink.Rules.List());
        }
        catch (Exception error) when (error is NetlinkException or NetlinkProtocolException)
        {
            throw new NetworkException($"Cannot read the network of '{space.Path}'", error);
        }
    }
}
