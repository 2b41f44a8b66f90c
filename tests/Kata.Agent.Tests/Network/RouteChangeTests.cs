using System.Diagnostics;
using Kata.Agent.Network;
using Kata.Netlink;

namespace Kata.Agent.Tests;

/// <summary>
/// What the host says of routes, in the running kernel. The messages have no metric, table, type, preference or several next hops, and
/// there are none of rules.
/// </summary>
public sealed class RouteChangeTests : IDisposable
{
    private readonly GuestCards _cards = new();

    public RouteChangeTests()
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", "10.0.0.2/24", "fd00::2/64"));
        _cards.Apply(_cards.Eth1, _cards.Wanted(_cards.Eth1, "eth1", "10.1.0.2/24", "fd01::2/64"));
    }

    public void Dispose() => _cards.Dispose();

    [Fact]
    public void Apply_BothFamilies_AreAsWanted()
    {
        _cards.Apply(
            Route("", "10.0.0.1"),
            Route("10.5.0.0/16", "10.1.0.1", "eth1", "10.1.0.2"),
            Route("10.6.0.0/16", device: "eth1"),
            Route("", "fd00::1"),
            Route("fd05::/48", "fd01::1", "eth1"),
            Route("fd06::/48"));
        Assert.Equal(
            ["default via 10.0.0.1 dev eth0", "10.5.0.0/16 via 10.1.0.1 dev eth1 src 10.1.0.2", "10.6.0.0/16 dev eth1 scope link"],
            _cards.Routes());
        Assert.Equal(
            ["fd05::/48 via fd01::1 dev eth1 metric 1024", "fd06::/48 dev eth0 metric 1024", "default via fd00::1 dev eth0 metric 1024"],
            _cards.Routes("-6"));
    }

    [Fact]
    public void Apply_OthersThanBefore_AreReplaced()
    {
        _cards.Apply(Route("", "10.0.0.1"), Route("10.5.0.0/16", "10.0.0.3"), Route("10.6.0.0/16", "10.0.0.3"));
        _cards.Apply(Route("", "10.1.0.1", "eth1"), Route("10.6.0.0/16", "10.0.0.3"), Route("10.7.0.0/16", "10.0.0.3"));
        Assert.Equal(
            ["default via 10.1.0.1 dev eth1", "10.6.0.0/16 via 10.0.0.3 dev eth0", "10.7.0.0/16 via 10.0.0.3 dev eth0"], _cards.Routes());
        _cards.Apply();
        Assert.Empty(_cards.Routes());
    }

    // A connection that is made meanwhile must not find that there is no way.
    [Theory]
    [InlineData("10.0.0.1", "10.1.0.1", "-4")]
    [InlineData("fd00::1", "fd01::1", "-6")]
    public void Apply_AnotherGateway_IsThereWithoutAGap(string before, string after, string family)
    {
        _cards.Apply(Route("", before));
        List<RouteEvent> events = _cards.EventsOf(RouteGroups.Routes, () => _cards.Apply(Route("", after, "eth1")));
        Assert.False(Assert.IsType<RouteChangeEvent>(Assert.Single(events)).IsDeleted);
        Assert.StartsWith($"default via {after} dev eth1", Assert.Single(_cards.Routes(family)));
    }

    [Fact]
    public void Apply_TheSameAgain_ChangesNothing()
    {
        Protocol.Route sized = Route("10.7.0.0/16", "10.0.0.1");
        sized.Mtu = 1300;
        Protocol.Route onlink = Route("10.8.0.0/16", "192.0.2.1");
        onlink.Flags = (uint)RouteFlags.Onlink;
        Protocol.Route[] wanted =
        [
            Route("", "10.0.0.1"), Route("", "fd00::1"), Route("10.5.0.0/16"), Route("10.6.0.0/16", "10.1.0.1", "eth1", "10.1.0.2"),
            sized, onlink, Route("fd05::/48", "fd01::1", "eth1"), Route("fd06::/48"), Route("192.0.2.7/32", "10.0.0.1", device: ""),
        ];
        _cards.Apply(wanted);
        Assert.Equal(wanted.Length, _cards.Routes().Length + _cards.Routes("-6").Length);
        Assert.Empty(_cards.EventsOf(RouteGroups.All, () => _cards.Apply(wanted)));
    }

    // As docker, flannel and calico have it: the gateway is outside of every prefix of the interface.
    [Fact]
    public void Apply_GatewayBeforeTheRouteToIt_AreBothThere()
    {
        _cards.Apply(Route("", "169.254.1.1"), Route("169.254.1.1/32"), Route("", "fd99::1"), Route("fd99::1/128"));
        Assert.Equal(["default via 169.254.1.1 dev eth0", "169.254.1.1 dev eth0 scope link"], _cards.Routes());
        Assert.Equal(["fd99::1 dev eth0 metric 1024", "default via fd99::1 dev eth0 metric 1024"], _cards.Routes("-6"));
    }

    [Fact]
    public void Apply_GatewayThatNothingLeadsTo_NeedsOnlink()
    {
        Protocol.Route route = Route("", "192.0.2.1");
        NetlinkException error = Assert.Throws<NetlinkException>(() => _cards.Apply(route));
        Assert.StartsWith("Cannot replace the route '0.0.0.0/0 via 192.0.2.1': Nexthop has invalid gateway", error.Message);

        route.Flags = (uint)(RouteFlags.Onlink | RouteFlags.Dead); // of the others the kernel decides
        _cards.Apply(route);
        Assert.Equal(["default via 192.0.2.1 dev eth0 onlink"], _cards.Routes());
        route.Flags = 0;
        Assert.Throws<NetlinkException>(() => _cards.Apply(route));
    }

    [Fact]
    public void Apply_RoutesOfTheKernel_Stay()
    {
        string before = _cards.Network.Run("ip -4 route show proto kernel; ip -6 route show proto kernel");
        Assert.Contains("10.0.0.0/24", before);
        Assert.Contains("fd00::/64", before);
        _cards.Apply(Route("", "10.0.0.1"));
        _cards.Apply();
        Assert.Equal(before, _cards.Network.Run("ip -4 route show proto kernel; ip -6 route show proto kernel"));
    }

    // Whoever listens to routers in the guest has these of the kernel, which it makes again and again.
    [Fact]
    public void Apply_RoutesThatARouterAnnounced_Stay()
    {
        _cards.Network.Run("ip -6 route add default via fd00::1 dev eth0 proto ra metric 512");
        _cards.Apply(Route("", "10.0.0.1"));
        Assert.Equal(["default via fd00::1 dev eth0 proto ra metric 512"], _cards.Routes("-6"));
    }

    [Fact]
    public void Apply_OtherTables_Stay()
    {
        _cards.Network.Run("ip route add default via 10.0.0.1 dev eth0 table 77");
        _cards.Apply();
        Assert.Contains("10.0.0.1", _cards.Network.Run("ip route show table 77"));
    }

    [Fact]
    public void Apply_RouteThatSomebodyInTheGuestMade_Goes()
    {
        _cards.Network.Run(
            """
            ip route add 10.5.0.0/16 via 10.0.0.1
            ip route add blackhole 10.6.0.0/16
            ip route add 10.7.0.0/16 via 10.0.0.3 metric 5
            """);
        _cards.Apply(Route("10.7.0.0/16", "10.0.0.1"));
        Assert.Equal(["10.7.0.0/16 via 10.0.0.1 dev eth0"], _cards.Routes());
    }

    // In the host they differ by their metric, which the messages do not have; they come in its order, the lowest first.
    [Theory]
    [InlineData("10.0.0.1", "eth0", "10.1.0.1", "eth1")]
    [InlineData("10.1.0.1", "eth1", "10.0.0.1", "eth0")]
    [InlineData("10.0.0.1", "eth0", "10.0.0.3", "eth0")]
    [InlineData("fd00::1", "eth0", "fd01::1", "eth1")]
    [InlineData("fd01::1", "eth1", "fd00::1", "eth0")]
    public void Apply_TwoToOneDestination_TheFirstCountsAndStays(string gateway, string device, string other, string otherDevice)
    {
        Protocol.Route[] wanted = [Route("", gateway, device), Route("", other, otherDevice)];
        _cards.Apply(wanted);
        string family = gateway.Contains(':') ? "-6" : "-4";
        Assert.StartsWith($"default via {gateway} dev {device}", _cards.Routes(family)[0]);
        Assert.Empty(_cards.EventsOf(RouteGroups.All, () => _cards.Apply(wanted)));

        _cards.Apply(wanted[1]); // the first one's interface has lost its network
        Assert.StartsWith($"default via {other} dev {otherDevice}", Assert.Single(_cards.Routes(family)));
    }

    [Fact]
    public void Apply_ThousandsOfRoutes_TakeSecondsAtMost()
    {
        Protocol.Route[] wanted =
        [
            .. Enumerable.Range(0, 2000).Select(static number => Route($"10.{100 + (number / 250)}.{number % 250}.0/24", "10.0.0.1")),
        ];
        long started = Stopwatch.GetTimestamp();
        _cards.Apply(wanted);
        Assert.Equal(2000, _cards.Routes().Length);
        Assert.Empty(_cards.EventsOf(RouteGroups.Routes, () => _cards.Apply(wanted)));
        _cards.Apply(wanted[..1000]);
        Assert.Equal(1000, _cards.Routes().Length);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("10.0.0.0/33", "", "", "eth0", "'10.0.0.0/33' is no destination")]
    [InlineData("x", "", "", "eth0", "'x' is no destination")]
    [InlineData("", "x", "", "eth0", "'x' is no gateway")]
    [InlineData("", "10.0.0.1/24", "", "eth0", "'10.0.0.1/24' is no gateway")]
    [InlineData("", "10.0.0.1", "x", "eth0", "'x' is no source")]
    [InlineData("", "10.0.0.1", "fd00::2", "eth0", "'fd00::2' is no source")] // of the other family
    [InlineData("fd05::/48", "fd00::1", "10.0.0.2", "eth0", "'10.0.0.2' is no source")]
    [InlineData("", "10.0.0.1", "", "eth9", "no interface 'eth9'")]
    public void Apply_TextThatMakesNoSense_IsRefusedAndNothingIsChanged(
        string destination, string gateway, string source, string device, string refusal)
    {
        _cards.Apply(Route("10.5.0.0/16", "10.0.0.1"));
        List<RouteEvent> events = _cards.EventsOf(RouteGroups.All, () => InterfaceChangeTests.AssertInvalid(
            refusal, () => _cards.Apply(Route("10.6.0.0/16", "10.0.0.1"), Route(destination, gateway, device, source))));
        Assert.Empty(events);
    }

    [Fact]
    public void Of_WhatWasParsed_IsTheSameMessage()
    {
        Protocol.Route sized = Route("10.7.0.0/16", "10.0.0.1", source: "10.0.0.2");
        sized.Mtu = 1300;
        IReadOnlyList<Link> links = _cards.Socket.Links.List();
        foreach (Protocol.Route route in new[] { sized, Route("", "fd00::1"), Route("10.5.0.0/16"), Route("fd06::/48") })
        {
            Assert.Equal(route, RouteMessages.Of(RouteMessages.Parse(route, links), links));
        }
    }

    [Fact]
    public void Parse_Default_IsThatOfItsFamily()
    {
        IReadOnlyList<Link> links = _cards.Socket.Links.List();
        Assert.Equal(IPPrefix.AnyIPv4, RouteMessages.Parse(new Protocol.Route { Dest = "default" }, links).Destination);
        Assert.Equal(IPPrefix.AnyIPv6, RouteMessages.Parse(new Protocol.Route { Family = Protocol.IPFamily.V6 }, links).Destination);
    }

    private static Protocol.Route Route(string destination, string gateway = "", string device = "eth0", string source = "") =>
        GuestCards.Route(destination, gateway, device, source);
}
