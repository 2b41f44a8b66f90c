using System.Collections.Frozen;
using System.Net;
using Kata.Agent.Protocol.Extension;
using Kata.Netlink;
using Kata.Network;

namespace Kata.Sandbox;

/// <summary>
/// What a guest is to have of its pod's network namespace, in the kernel's own terms: all but what kernels make by themselves, in the guest
/// as well. Links have the namespace's numbers. Pure.
/// </summary>
/// <param name="Interfaces">The loopback, and one for each card.</param>
/// <param name="Addresses">Of these.</param>
/// <param name="Routes">Of all tables, over these or none.</param>
/// <param name="Neighbours">Those that somebody has set.</param>
/// <param name="Rules">Of both families.</param>
/// <param name="Settings">Sysctls that somebody has set, but for those of links that the guest has not.</param>
internal sealed record NetworkState(
    IReadOnlyList<NetworkInterface> Interfaces,
    IReadOnlyList<InterfaceAddress> Addresses,
    IReadOnlyList<Route> Routes,
    IReadOnlyList<Neighbour> Neighbours,
    IReadOnlyList<RoutingRule> Rules,
    IReadOnlyList<NamespaceSetting> Settings)
{
    private const LinkFlags SettableLinkFlags =
        LinkFlags.NoArp | LinkFlags.Promiscuous | LinkFlags.AllMulticast | LinkFlags.Multicast;

    private static readonly FrozenSet<IPPrefix> s_loopback =
        new[] { IPPrefix.Parse("127.0.0.1/8"), IPPrefix.Parse("::1/128") }.ToFrozenSet();

    private static readonly RoutingRule[] s_standardRules =
    [
        StandardRule(IPFamily.IPv4, 0, RouteTables.Local),
        StandardRule(IPFamily.IPv4, 32766, RouteTables.Main),
        StandardRule(IPFamily.IPv4, 32767, RouteTables.Default),
        StandardRule(IPFamily.IPv6, 0, RouteTables.Local),
        StandardRule(IPFamily.IPv6, 32766, RouteTables.Main),
    ];

    /// <summary>A guest that has been told nothing.</summary>
    public static NetworkState Initial { get; } = new([], [], [], [], s_standardRules, []);

    /// <param name="network">The namespace.</param>
    /// <param name="cards">What the guest has cards for.</param>
    public static NetworkState Of(HostNetwork network, IReadOnlyList<EndpointPlan> cards)
    {
        Link? loopback = network.Links.FirstOrDefault(static link => link.Flags.HasFlag(LinkFlags.Loopback));
        NetworkInterface[] interfaces =
        [
            .. loopback is null ? Array.Empty<NetworkInterface>() : [new NetworkInterface { Number = loopback.Index }],
            .. cards.Select(card => InterfaceOf(card, network)),
        ];
        string[] links = [.. cards.Select(static card => card.Name).Append(loopback?.Name).OfType<string>()];
        FrozenDictionary<int, string> names = interfaces.ToFrozenDictionary(static item => item.Number, static item => item.Name);
        return new NetworkState(
            interfaces,
            [.. network.Addresses.Where(address => names.ContainsKey(address.LinkIndex) && IsForGuest(address)).Select(NormalAddress)],
            [.. network.Routes.Where(route => IsForGuest(route) && LinksOf(route).All(names.ContainsKey)).Select(PlainRecords.Of)],
            [.. network.Neighbours.Where(item => names.ContainsKey(item.LinkIndex) && IsForGuest(item))],
            [.. network.Rules, .. s_standardRules.Where(rule => !network.Rules.Any(other => other.Family == rule.Family))],
            [.. network.Settings.Where(item => item.Link is not { } link || links.Contains(link))]);

        // Whether it is looked for on the network just now is the kernel's to say, and the guest's to go on with.
        InterfaceAddress NormalAddress(InterfaceAddress address)
        {
            InterfaceAddress plain = PlainRecords.Of(address, names[address.LinkIndex]);
            return plain with { Flags = plain.Flags | (address.Flags & (AddressFlags.Tentative | AddressFlags.Optimistic)) };
        }
    }

    /// <summary>As it is when some links and all that hangs on them are gone.</summary>
    public NetworkState Without(IReadOnlyCollection<int> links) => this with
    {
        Interfaces = [.. Interfaces.Where(item => !links.Contains(item.Number))],
        Addresses = [.. Addresses.Where(item => !links.Contains(item.LinkIndex))],
        Routes = [.. Routes.Where(route => !LinksOf(route).Any(links.Contains))],
        Neighbours = [.. Neighbours.Where(item => !links.Contains(item.LinkIndex))],
        Settings = [.. Settings.Where(item => item.Link is not { } link
            || !Interfaces.Any(other => other.Name == link && links.Contains(other.Number)))],
    };

    /// <summary>What both have.</summary>
    public NetworkState And(NetworkState other) => new(
        [.. Interfaces.Intersect(other.Interfaces)],
        [.. Addresses.Intersect(other.Addresses)],
        [.. Routes.Intersect(other.Routes)],
        [.. Neighbours.Intersect(other.Neighbours)],
        [.. Rules.Intersect(other.Rules)],
        [.. Settings.Intersect(other.Settings)]);

    /// <summary>What either has.</summary>
    public NetworkState Or(NetworkState other) => new(
        [.. Interfaces.Union(other.Interfaces)],
        [.. Addresses.Union(other.Addresses)],
        [.. Routes.Union(other.Routes)],
        [.. Neighbours.Union(other.Neighbours)],
        [.. Rules.Union(other.Rules)],
        [.. Settings.Union(other.Settings)]);

    /// <summary>Over which links it goes: none, one or several.</summary>
    public static IEnumerable<int> LinksOf(Route route) =>
        route.NextHops.Select(static hop => hop.LinkIndex).Append(route.LinkIndex).OfType<int>();

    private static NetworkInterface InterfaceOf(EndpointPlan card, HostNetwork network) => new()
    {
        Number = card.LinkIndex,
        HardwareAddress = card.Address.ToString(),
        Name = card.Name,
        Mtu = card.Mtu,
        Flags = (uint)(network.Links.First(link => link.Index == card.LinkIndex).Flags & SettableLinkFlags),
        NoLinkLocal = !network.Addresses.Any(
            address => address.LinkIndex == card.LinkIndex && address.Local.Address.Equals(LinkLocalOf(card.Address))),
    };

    /// <summary>What a kernel makes of a MAC address (RFC 4291, appendix A).</summary>
    internal static IPAddress LinkLocalOf(LinkAddress address) => address.Bytes is [var a, var b, var c, var d, var e, var f]
        ? new IPAddress([0xfe, 0x80, 0, 0, 0, 0, 0, 0, (byte)(a ^ 2), b, c, 0xff, 0xfe, d, e, f])
        : IPAddress.IPv6None;

    private static RoutingRule StandardRule(IPFamily family, uint priority, uint table) =>
        new() { Family = family, Priority = priority, Table = table, Protocol = RouteProtocol.Kernel };

    // One that somebody else has, too, works nowhere; and the loopback's own are the guest's from the beginning.
    private static bool IsForGuest(InterfaceAddress address) =>
        !address.Flags.HasFlag(AddressFlags.DadFailed) && !s_loopback.Contains(address.Local);

    private static bool IsForGuest(Neighbour neighbour) =>
        neighbour.State.HasFlag(NeighbourState.Permanent) || neighbour.Flags.HasFlag(NeighbourFlags.Proxy);

    private static bool IsForGuest(Route route) => route.Protocol is not (RouteProtocol.Kernel or RouteProtocol.Redirect);
}
