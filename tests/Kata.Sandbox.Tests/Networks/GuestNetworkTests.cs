using Kata.Agent.Protocol;
using Kata.Netlink;
using Kata.Network;
using GuestRoute = Kata.Agent.Protocol.Route;
using IPFamily = Kata.Agent.Protocol.IPFamily;
using Route = Kata.Netlink.Route;

namespace Kata.Sandbox.Tests;

/// <summary>
/// What the guest is told of a namespace. The messages have no metric, table, type, protocol or several next hops of routes; no peer,
/// label, scope, lifetime or flags of addresses; and there are none of rules.
/// </summary>
public sealed class GuestNetworkTests
{
    private static readonly Link[] s_links =
    [
        new() { Index = 1, Name = "lo", Flags = LinkFlags.Up | LinkFlags.Loopback, HardwareType = 772, Mtu = 65536 },
        LinkOf(2, "eth0", new VethKind()),
        LinkOf(7, "net1", new MacvlanKind()),
        LinkOf(9, "hw0", null),
    ];

    private static readonly EndpointPlan[] s_cards = [.. s_links[1..3].Select(CardOf)];

    [Fact]
    public void Of_Nothing_IsEmpty()
    {
        GuestNetwork network = GuestNetwork.Of(new HostNetwork([], [], [], [], []), []);
        Assert.Empty(network.Interfaces);
        Assert.Empty(network.Routes);
        Assert.Empty(network.Neighbours);
        Assert.Empty(GuestNetwork.Empty.Interfaces);
    }

    [Fact]
    public void Of_Cards_AreInterfacesWithNameAddressSizeAndKind()
    {
        IReadOnlyList<Interface> interfaces = Of().Interfaces;
        Assert.Equal(
            new Interface { Device = "eth0", Name = "eth0", HwAddr = "02:00:00:00:00:02", Mtu = 1502, Type = "veth" }, interfaces[0]);
        Assert.Equal(
            new Interface { Device = "net1", Name = "net1", HwAddr = "02:00:00:00:00:07", Mtu = 1507, Type = "macvlan" }, interfaces[1]);
        Assert.Equal(2, interfaces.Count);
        Assert.Equal("", GuestNetwork.Of(NetworkOf(), [CardOf(s_links[3])]).Interfaces.Single().Type);
    }

    [Fact]
    public void Of_Addresses_AreThoseOfTheirCardInTheirOrder()
    {
        IReadOnlyList<Interface> interfaces = Of(addresses:
        [
            AddressOf(1, "127.0.0.1/8"), AddressOf(2, "10.0.0.2/24"), AddressOf(7, "fd00::7/64"), AddressOf(2, "10.0.0.3/32"),
            AddressOf(2, "fe80::2/64"), AddressOf(2, "fd00::2/128"), AddressOf(9, "10.9.0.9/16"),
        ]).Interfaces;
        Assert.Equal(
            [
                new Agent.Protocol.IPAddress { Family = IPFamily.V4, Address = "10.0.0.2", Mask = "24" },
                new Agent.Protocol.IPAddress { Family = IPFamily.V4, Address = "10.0.0.3", Mask = "32" },
                new Agent.Protocol.IPAddress { Family = IPFamily.V6, Address = "fe80::2", Mask = "64" },
                new Agent.Protocol.IPAddress { Family = IPFamily.V6, Address = "fd00::2", Mask = "128" },
            ],
            interfaces[0].IPAddresses);
        Assert.Equal("fd00::7", Assert.Single(interfaces[1].IPAddresses).Address);
    }

    [Theory]
    [InlineData(LinkFlags.Up | LinkFlags.Broadcast | LinkFlags.Promiscuous, 0u)]
    [InlineData(LinkFlags.Up | LinkFlags.NoArp | LinkFlags.Multicast, 0x80u)]
    public void Of_Flags_AreNoArpOnly(LinkFlags flags, uint expected) => Assert.Equal(
        expected,
        GuestNetwork.Of(new HostNetwork([s_links[1] with { Flags = flags }], [], [], [], []), s_cards[..1]).Interfaces.Single().RawFlags);

    public static TheoryData<string> Kept => [.. s_kept.Keys];

    private static readonly Dictionary<string, (Route Host, GuestRoute Guest)> s_kept = new(StringComparer.Ordinal)
    {
        ["default"] = (
            new Route { Destination = IPPrefix.AnyIPv4, Gateway = Parse("10.0.0.1"), LinkIndex = 2, Scope = RouteScope.Universe },
            new GuestRoute { Gateway = "10.0.0.1", Device = "eth0" }),
        ["default of IPv6"] = (
            new Route { Destination = IPPrefix.AnyIPv6, Gateway = Parse("fd00::1"), LinkIndex = 7, Metric = 1024 },
            new GuestRoute { Gateway = "fd00::1", Device = "net1", Family = IPFamily.V6 }),
        ["on the link"] = (
            new Route { Destination = IPPrefix.Parse("169.254.1.1/32"), LinkIndex = 2, Scope = RouteScope.Link },
            new GuestRoute { Dest = "169.254.1.1/32", Device = "eth0", Scope = 253 }),
        ["with source, size and onlink"] = (
            new Route
            {
                Destination = IPPrefix.Parse("10.5.0.0/16"),
                Gateway = Parse("192.0.2.1"),
                LinkIndex = 7,
                PreferredSource = Parse("10.0.0.2"),
                Scope = RouteScope.Universe,
                Protocol = RouteProtocol.Dhcp,
                Flags = RouteFlags.Onlink | RouteFlags.LinkDown,
                Metrics = new RouteMetrics { Mtu = 1300 },
            },
            new GuestRoute { Dest = "10.5.0.0/16", Gateway = "192.0.2.1", Device = "net1", Source = "10.0.0.2", Flags = 4, Mtu = 1300 }),
        ["of the site"] = (
            new Route { Destination = IPPrefix.Parse("10.6.0.0/16"), LinkIndex = 2, Scope = RouteScope.Site },
            new GuestRoute { Dest = "10.6.0.0/16", Device = "eth0", Scope = 200 }),
    };

    [Theory]
    [MemberData(nameof(Kept))]
    public void Of_Route_IsTold(string what)
    {
        GuestRoute route = Assert.Single(Of(routes: [s_kept[what].Host]).Routes);
        Assert.Equal(s_kept[what].Guest, route);
    }

    public static TheoryData<string> Left => [.. s_left.Keys];

    private static readonly Route s_route = new()
    {
        Destination = IPPrefix.Parse("10.5.0.0/16"),
        LinkIndex = 2,
        Protocol = RouteProtocol.Static,
    };

    private static readonly Dictionary<string, Route> s_left = new(StringComparer.Ordinal)
    {
        ["the kernel's"] = s_route with { Protocol = RouteProtocol.Kernel },
        ["of another table"] = s_route with { Table = 77 },
        ["of the local table"] = s_route with { Table = RouteTables.Local, Type = RouteType.Local },
        ["blackhole"] = s_route with { Type = RouteType.Blackhole, LinkIndex = null },
        ["unreachable by a card"] = s_route with { Type = RouteType.Unreachable },
        ["of a link that is no card"] = s_route with { LinkIndex = 9 },
        ["of the loopback"] = s_route with { LinkIndex = 1 },
        ["without a link"] = s_route with { LinkIndex = null },
        ["by several ways"] = s_route with
        {
            LinkIndex = null,
            NextHops =
            [
                new RouteNextHop { LinkIndex = 2, Gateway = Parse("10.0.0.1") },
                new RouteNextHop { LinkIndex = 7, Gateway = Parse("10.0.0.9") },
            ],
        },
    };

    [Theory]
    [MemberData(nameof(Left))]
    public void Of_RouteThatTheGuestMakesOrCannotHave_IsLeft(string what) =>
        Assert.Equal("10.5.0.0/16", Assert.Single(Of(routes: [s_left[what], s_route]).Routes).Dest);

    // By their metric, the lowest first: the guest takes the first.
    [Fact]
    public void Of_Routes_KeepTheOrderOfTheHost()
    {
        Route[] routes =
        [
            s_route with { Destination = IPPrefix.AnyIPv4, Gateway = Parse("10.0.0.1"), Metric = 5 },
            s_route with { Destination = IPPrefix.AnyIPv4, Gateway = Parse("10.7.0.1"), LinkIndex = 7, Metric = 9 },
            s_route,
        ];
        Assert.Equal(["10.0.0.1", "10.7.0.1", ""], Of(routes: routes).Routes.Select(static route => route.Gateway));
    }

    [Fact]
    public void Of_Neighbours_AreThoseThatSomebodyHasSetOnACard()
    {
        var set = new Neighbour { LinkIndex = 2, Address = Parse("10.0.0.9"), LinkAddress = LinkAddress.Parse("02:00:00:00:00:99") };
        IReadOnlyList<ARPNeighbor> neighbours = Of(neighbours:
        [
            set with { State = NeighbourState.Reachable }, set with { State = NeighbourState.Failed },
            set with { State = NeighbourState.NoArp }, set,
            set with { LinkIndex = 7, Address = Parse("fd00::9"), Flags = NeighbourFlags.Router }, set with { LinkIndex = 9 },
        ]).Neighbours;
        Assert.Equal(
            [
                new ARPNeighbor
                {
                    ToIPAddress = new Agent.Protocol.IPAddress { Family = IPFamily.V4, Address = "10.0.0.9" },
                    Device = "eth0",
                    Lladdr = "02:00:00:00:00:99",
                    State = 0x80,
                },
                new ARPNeighbor
                {
                    ToIPAddress = new Agent.Protocol.IPAddress { Family = IPFamily.V6, Address = "fd00::9" },
                    Device = "net1",
                    Lladdr = "02:00:00:00:00:99",
                    State = 0x80,
                    Flags = 0x80,
                },
            ],
            neighbours);
    }

    // It is by this that nothing is told twice.
    [Fact]
    public void Of_TheSameTwice_HasEqualParts()
    {
        GuestNetwork one = Full(), other = Full();
        Assert.Equal(one.Interfaces, other.Interfaces);
        Assert.Equal(one.Routes, other.Routes);
        Assert.Equal(one.Neighbours, other.Neighbours);

        static GuestNetwork Full() => Of(
            [AddressOf(2, "10.0.0.2/24"), AddressOf(7, "fd00::7/64")],
            [s_route, s_kept["default"].Host, s_kept["with source, size and onlink"].Host],
            [new Neighbour { LinkIndex = 2, Address = Parse("10.0.0.9"), LinkAddress = LinkAddress.Parse("02:00:00:00:00:99") }]);
    }

    [Fact]
    public void Of_NewNameOfACard_IsThatOfItsRoutesToo()
    {
        GuestNetwork network = GuestNetwork.Of(
            new HostNetwork([s_links[1] with { Name = "x0" }], [], [s_route], [], []), [s_cards[0] with { Name = "x0" }]);
        Assert.Equal("x0", network.Interfaces.Single().Name);
        Assert.Equal("x0", network.Routes.Single().Device);
    }

    private static GuestNetwork Of(InterfaceAddress[]? addresses = null, Route[]? routes = null, Neighbour[]? neighbours = null) =>
        GuestNetwork.Of(NetworkOf() with { Addresses = addresses ?? [], Routes = routes ?? [], Neighbours = neighbours ?? [] }, s_cards);

    private static HostNetwork NetworkOf() => new(s_links, [], [], [], []);

    private static Link LinkOf(int index, string name, LinkKind? kind) => new()
    {
        Index = index,
        Name = name,
        Kind = kind,
        HardwareType = 1,
        Address = new LinkAddress([2, 0, 0, 0, 0, (byte)index]),
        Flags = LinkFlags.Up | LinkFlags.Broadcast,
        Mtu = 1500 + (uint)index,
    };

    private static EndpointPlan CardOf(Link link) => new(link.Index, link.Name, link.Address, link.Mtu);

    private static InterfaceAddress AddressOf(int link, string address) => new() { LinkIndex = link, Local = IPPrefix.Parse(address) };

    private static System.Net.IPAddress Parse(string address) => System.Net.IPAddress.Parse(address);
}
