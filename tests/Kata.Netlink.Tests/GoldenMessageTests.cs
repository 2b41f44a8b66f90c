using System.Net;

namespace Kata.Netlink.Tests;

/// <summary>What the kernel sent, as records.</summary>
public sealed class GoldenMessageTests
{
    private static readonly LinkAddress s_near = LinkAddress.Parse("02:00:00:00:00:01");

    [Fact]
    public void Link_Veth_IsRead()
    {
        Link link = Golden.Read<LinkEvent>("link-veth").Link;
        Assert.Equal(("v0", new VethKind(), s_near, 1400u, 500u), (link.Name, link.Kind, link.Address, link.Mtu, link.TransmitQueueLength));
        Assert.Equal(("the near end", LinkOperState.Up, true), (link.Alias, link.OperState, link.HasCarrier));
        Assert.Equal(LinkFlags.Up | LinkFlags.Broadcast | LinkFlags.Running | LinkFlags.Multicast | LinkFlags.LowerUp, link.Flags);
        Assert.Equal(LinkAddress.Parse("ff:ff:ff:ff:ff:ff"), link.Broadcast);
        Assert.Equal((68u, 65535u, (ushort)1), (link.MinMtu, link.MaxMtu, link.HardwareType));
        Assert.Equal((link.Index - 1, null, null), (link.Parent, link.ParentNamespaceId, link.Controller));
        Assert.Equal((65536u, 65535u, 65536u), (link.GsoMaxSize, link.GsoMaxSegments, link.GroMaxSize));
        Assert.NotNull(link.Statistics);
    }

    [Fact]
    public void Link_Bridge_IsReadWithItsSettings()
    {
        var bridge = Assert.IsType<BridgeKind>(Golden.Read<LinkEvent>("link-bridge").Link.Kind);
        Assert.Equal((0u, 200u, 6000u), (bridge.SpanningTree, bridge.ForwardDelay, bridge.AgeingTime));
        Assert.Equal(((ushort?)4096, (bool?)true), (bridge.Priority, bridge.SnoopsMulticast));
    }

    [Fact]
    public void Link_PortOfABridge_NamesItsController()
    {
        Link link = Golden.Read<LinkEvent>("link-bridge-port").Link;
        Assert.Equal(("bridge", Golden.Read<LinkEvent>("link-bridge").Link.Index), (link.PortKind, link.Controller));
    }

    [Fact]
    public void Link_Macvlan_NamesItsParent()
    {
        Link link = Golden.Read<LinkEvent>("link-macvlan").Link;
        var kind = new MacvlanKind { Mode = MacvlanMode.Bridge, Flags = 0 };
        Assert.Equal((kind, Golden.Read<LinkEvent>("link-veth").Link.Index), (link.Kind, link.Parent));
    }

    [Fact]
    public void Link_Tap_IsReadWithOwnerAndQueues() => Assert.Equal(
        new TunKind
        {
            IsTap = true,
            Owner = 1000,
            Group = 100,
            HasVirtioHeader = true,
            IsPersistent = true,
            IsMultiQueue = true,
            Queues = 0,
        },
        Golden.Read<LinkEvent>("link-tap").Link.Kind);

    [Fact]
    public void Link_Loopback_HasNoKind()
    {
        Link link = Golden.Read<LinkEvent>("link-loopback").Link;
        Assert.Equal((1, "lo", null, (ushort)772), (link.Index, link.Name, link.Kind, link.HardwareType));
        Assert.True(link.Flags.HasFlag(LinkFlags.Loopback | LinkFlags.Up));
    }

    [Fact]
    public void Address_WithPeer_HasThePeersPrefix()
    {
        InterfaceAddress address = Golden.Read<AddressEvent>("address-peer").Address;
        Assert.Equal(IPPrefix.Parse("10.0.0.1/24"), address.Local);
        Assert.Equal((IPAddress.Parse("10.0.9.1"), "v0:a", RouteScope.Link), (address.Peer, address.Label, address.Scope));
        Assert.Equal((AddressFlags.Permanent, null, null), (address.Flags, address.ValidLifetime, address.PreferredLifetime));
    }

    [Fact]
    public void Address_WithLifetimes_HasThem()
    {
        InterfaceAddress address = Golden.Read<AddressEvent>("address-lifetimes").Address;
        Assert.Equal((IPPrefix.Parse("10.1.0.1/16"), IPAddress.Parse("10.1.255.255")), (address.Local, address.Broadcast));
        Assert.Equal((TimeSpan.FromSeconds(1000), TimeSpan.FromSeconds(500)), (address.ValidLifetime, address.PreferredLifetime));
        Assert.Equal((AddressFlags.NoPrefixRoute, null), (address.Flags, address.Peer));
    }

    [Fact]
    public void Address_IPv6_HasFlagsBeyondAByte() => Assert.Equal(
        (IPPrefix.Parse("fd00::1/64"), AddressFlags.Permanent | AddressFlags.NoDad | AddressFlags.NoPrefixRoute),
        (Golden.Read<AddressEvent>("address-ipv6").Address.Local, Golden.Read<AddressEvent>("address-ipv6").Address.Flags));

    [Fact]
    public void Route_SeveralWays_HasThemAll()
    {
        Route route = Golden.Read<RouteChangeEvent>("route-multipath").Route;
        int near = Golden.Read<LinkEvent>("link-veth").Link.Index;
        Assert.Equal(
            [
                new() { LinkIndex = near, Gateway = IPAddress.Parse("10.0.9.7"), Weight = 3, Flags = RouteFlags.Onlink },
                new() { LinkIndex = near - 1 },
            ],
            route.NextHops);
        Assert.Equal((5u, IPAddress.Parse("10.1.0.1"), null), (route.Metric, route.PreferredSource, route.LinkIndex));
    }

    [Fact]
    public void Route_ByAGatewayOfTheOtherFamily_HasIt()
    {
        Route route = Golden.Read<RouteChangeEvent>("route-via-ipv6").Route;
        Assert.Equal((IPPrefix.Parse("10.3.0.0/16"), IPAddress.Parse("fe80::1")), (route.Destination, route.Gateway));
        Assert.Equal((1000u, RouteProtocol.Static, RouteScope.Universe), (route.Table, route.Protocol, route.Scope));
    }

    [Fact]
    public void Route_Blackhole_HasNoLink() => Assert.Equal(
        new Route
        {
            Destination = IPPrefix.Parse("10.4.0.0/16"),
            Type = RouteType.Blackhole,
            Scope = RouteScope.Universe,
            Protocol = RouteProtocol.Boot,
        },
        Golden.Read<RouteChangeEvent>("route-blackhole").Route);

    [Fact]
    public void Route_WithMetrics_HasThem() => Assert.Equal(
        new RouteMetrics { Mtu = 1300, Locked = 1 << 2, AdvertisedMss = 1200, InitialCongestionWindow = 20, CongestionControl = "reno" },
        Golden.Read<RouteChangeEvent>("route-metrics").Route.Metrics);

    [Fact]
    public void Route_IPv6_HasPreferenceAndExpiry()
    {
        Route route = Golden.Read<RouteChangeEvent>("route-ipv6").Route;
        Assert.Equal((IPPrefix.Parse("fd05::/48"), 77u, RoutePreference.High), (route.Destination, route.Metric, route.Preference));
        Assert.InRange(route.ExpiresIn!.Value.TotalSeconds, 290, 300);
    }

    [Fact]
    public void Rule_WithEverything_IsRead() => Assert.Equal(
        new RoutingRule
        {
            Family = IPFamily.IPv4,
            Priority = 100,
            IsInverted = true,
            Source = IPPrefix.Parse("10.0.0.0/8"),
            Destination = IPPrefix.Parse("192.0.2.0/24"),
            InputLink = "v0",
            OutputLink = "v1",
            Mark = 0x10,
            MarkMask = 0xff,
            IPProtocol = 6,
            SourcePorts = new PortRange(1000, 2000),
            DestinationPorts = new PortRange(80, 80),
            Users = new UserRange(5, 9),
            Table = 1000,
            SuppressedPrefixLength = 0,
            Protocol = RouteProtocol.Static,
        },
        Golden.Read<RuleEvent>("rule-full").Rule);

    [Fact]
    public void Rule_Prohibit_IsRead()
    {
        RoutingRule rule = Golden.Read<RuleEvent>("rule-prohibit").Rule;
        Assert.Equal((IPFamily.IPv6, RuleAction.Prohibit, 200u), (rule.Family, rule.Action, rule.Priority));
        Assert.Equal((IPPrefix.Parse("fd00::/8"), null), (rule.Source, rule.SuppressedPrefixLength));
    }

    [Fact]
    public void Neighbour_SetByHand_IsRead()
    {
        Neighbour neighbour = Golden.Read<NeighbourEvent>("neighbour").Neighbour;
        Assert.Equal((IPAddress.Parse("10.0.9.7"), LinkAddress.Parse("02:00:00:00:00:07")), (neighbour.Address, neighbour.LinkAddress));
        Assert.Equal((NeighbourState.Permanent, NeighbourFlags.Router), (neighbour.State, neighbour.Flags));
        Assert.Equal(RouteProtocol.Static, neighbour.Protocol);
    }

    [Fact]
    public void Neighbour_Proxy_IsRead()
    {
        Neighbour neighbour = Golden.Read<NeighbourEvent>("neighbour-proxy").Neighbour;
        Assert.Equal((IPAddress.Parse("10.0.9.8"), NeighbourFlags.Proxy), (neighbour.Address, neighbour.Flags));
        Assert.Equal(0, neighbour.LinkAddress.Length);
    }

    [Fact]
    public void Qdisc_EveryKind_IsRead()
    {
        Qdisc htb = Golden.Read<Qdisc>("qdisc-htb");
        Assert.Equal((new HtbQdisc { DefaultClass = 0x16 }, new TcHandle(1, 0), TcHandle.Root), (htb.Kind, htb.Handle, htb.Parent));
        Assert.Equal(new TbfQdisc { Rate = 1_000_000, Burst = 10240, Limit = 30720 }, Golden.Read<Qdisc>("qdisc-tbf").Kind);
        Qdisc ingress = Golden.Read<Qdisc>("qdisc-ingress");
        Assert.Equal((PlainQdisc.Ingress, TcHandle.Ingress, "ffff:0"), (ingress.Kind, ingress.Parent, ingress.Handle.ToString()));
    }

    [Fact]
    public void Class_OfHtb_IsRead()
    {
        TrafficClass read = Golden.Read<TrafficClass>("class-htb");
        Assert.Equal((new TcHandle(1, 0x10), 1_000_000ul, 2_000_000ul), (read.Handle, read.Rate, read.Ceiling));
        Assert.Equal((20480u, 30720u, 2u), (read.Burst, read.CeilingBurst, read.Priority));
    }

    [Fact]
    public void Filter_Redirect_IsRead()
    {
        TrafficFilter filter = Golden.Read<TrafficFilter>("filter-redirect");
        int near = Golden.Read<LinkEvent>("link-veth").Link.Index;
        Assert.Equal((TrafficFilter.U32, 3, TrafficFilter.AllProtocols), (filter.Kind, filter.Priority, filter.Protocol));
        Assert.Equal([new MirredAction { TargetIndex = near }], filter.Actions);
    }

    [Fact]
    public void Refusal_WithAMessage_HasIt() => Assert.Equal(
        new Acknowledgement(NetlinkErrno.ENETUNREACH, new ExtendedAck("Nexthop has invalid gateway", null, null)),
        Golden.Read<Acknowledgement>("refusal-gateway"));

    [Fact]
    public void Refusal_OfAnAttribute_HasItsPlace() => Assert.Equal(
        new Acknowledgement(NetlinkErrno.ERANGE, new ExtendedAck("Attribute failed policy validation", 32, null)),
        Golden.Read<Acknowledgement>("refusal-attribute"));

    [Theory]
    [InlineData("done")]
    [InlineData("acknowledgement")]
    public void Success_IsNoError(string name) => Assert.Equal(default, Golden.Read<Acknowledgement>(name));
}
