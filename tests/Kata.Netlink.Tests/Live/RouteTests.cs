using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>Routes of the running kernel, compared with what <c>ip</c> says.</summary>
public sealed class RouteTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();
    private readonly Link _link;

    public RouteTests()
    {
        _link = _network.AddPair("v0", "v1");
        _network.Run("ip addr add 10.0.0.1/24 dev v0; ip -6 addr add fd00::1/64 nodad dev v0");
    }

    private RouteOperations Routes => _network.Socket.Routes;

    public void Dispose() => _network.Dispose();

    [Fact]
    public void Add_WithEverything_IsAsIpSaysAndIsReadAgain()
    {
        var route = new Route
        {
            Destination = IPPrefix.Parse("10.1.0.0/16"),
            Gateway = IPAddress.Parse("10.0.0.7"),
            LinkIndex = _link.Index,
            PreferredSource = IPAddress.Parse("10.0.0.1"),
            Metric = 42,
            Table = 1000,
            Scope = RouteScope.Universe,
            Protocol = RouteProtocol.Static,
            Metrics = new RouteMetrics { Mtu = 1300, AdvertisedMss = 1200, InitialCongestionWindow = 20, HopLimit = 9 },
        };
        Routes.Add(route);

        JsonElement json = Assert.Single(_network.Json("ip -json route show table 1000"));
        Assert.Equal(("10.1.0.0/16", "10.0.0.7", "v0", "10.0.0.1", 42, "static"), (
            Text(json, "dst"), Text(json, "gateway"), Text(json, "dev"), Text(json, "prefsrc"), json.GetProperty("metric").GetInt32(),
            Text(json, "protocol")));
        JsonElement metrics = Assert.Single(json.GetProperty("metrics").EnumerateArray());
        Assert.Equal((1300, 1200, 20), (metrics.GetProperty("mtu").GetInt32(), metrics.GetProperty("advmss").GetInt32(),
            metrics.GetProperty("initcwnd").GetInt32()));
        Assert.Equal(route, Assert.Single(Routes.List(table: 1000)));
    }

    [Theory]
    [InlineData(RouteType.Blackhole, "blackhole")]
    [InlineData(RouteType.Unreachable, "unreachable")]
    [InlineData(RouteType.Prohibit, "prohibit")]
    [InlineData(RouteType.Throw, "throw")]
    public void Add_TypeWithoutALink_IsAsIpSays(RouteType type, string name)
    {
        Routes.Add(new Route { Destination = IPPrefix.Parse("10.9.0.0/16"), Type = type });
        Assert.Equal((name, "10.9.0.0/16"), Assert.Single(
            _network.Json("ip -json route show 10.9.0.0/16").Select(static json => (Text(json, "type"), Text(json, "dst")))));
    }

    [Fact]
    public void Add_Defaults_ScopeAndProtocolAreThoseOfIp()
    {
        Routes.Add(new Route { Destination = IPPrefix.Parse("10.1.0.0/16"), LinkIndex = _link.Index });
        Routes.Add(new Route { Destination = IPPrefix.Parse("10.2.0.9/32"), LinkIndex = _link.Index, Type = RouteType.Local, Table = 255 });
        Routes.Add(new Route { Destination = IPPrefix.AnyIPv4, Gateway = IPAddress.Parse("10.0.0.9") });
        _network.Run("ip route add 10.3.0.0/16 dev v0; ip route add local 10.4.0.9 dev v0; ip route add default via 10.0.0.9 metric 1");

        AssertAlike("10.1.0.0/16", "10.3.0.0/16");
        AssertAlike("10.2.0.9/32", "10.4.0.9/32");
        Route[] defaults = [.. Routes.List(IPFamily.IPv4, RouteTables.Main).Where(static route => route.Destination.Length == 0)];
        Assert.Equal(2, defaults.Length);
        Assert.Equal(defaults[0] with { Metric = 1 }, defaults[1]);

        void AssertAlike(string ours, string theirs) =>
            Assert.Equal(Find(theirs) with { Destination = IPPrefix.Parse(ours) }, Find(ours));
    }

    [Fact]
    public void Add_SeveralWays_IsAsIpSays()
    {
        IReadOnlyList<RouteNextHop> hops =
        [
            new() { LinkIndex = _link.Index, Gateway = IPAddress.Parse("10.0.0.7"), Weight = 3 },
            new() { LinkIndex = _link.Index, Gateway = IPAddress.Parse("192.0.2.1"), Weight = 1, Flags = RouteFlags.Onlink },
        ];
        Routes.Add(new Route { Destination = IPPrefix.Parse("10.1.0.0/16"), NextHops = hops });
        List<JsonElement> json = [.. _network.Json("ip -json route show 10.1.0.0/16")[0].GetProperty("nexthops").EnumerateArray()];
        Assert.Equal(
            [("10.0.0.7", 3, false), ("192.0.2.1", 1, true)],
            json.Select(static hop => (Text(hop, "gateway"), hop.GetProperty("weight").GetInt32(),
                hop.GetProperty("flags").GetRawText().Contains("onlink", StringComparison.Ordinal))));
        Assert.Equal(hops, Find("10.1.0.0/16").NextHops);
    }

    [Fact]
    public void Add_IPv6WithPreferenceAndExpiry_IsAsIpSays()
    {
        Routes.Add(new Route
        {
            Destination = IPPrefix.Parse("fd05::/48"),
            Gateway = IPAddress.Parse("fd00::7"),
            LinkIndex = _link.Index,
            Metric = 77,
            Preference = RoutePreference.High,
            ExpiresIn = TimeSpan.FromSeconds(600),
        });
        JsonElement json = Assert.Single(_network.Json("ip -6 -json route show fd05::/48"));
        Assert.Equal(("high", 77), (Text(json, "pref"), json.GetProperty("metric").GetInt32()));
        Assert.InRange(json.GetProperty("expires").GetInt32(), 580, 600);
        Assert.InRange(Find("fd05::/48").ExpiresIn!.Value.TotalSeconds, 580, 600);
    }

    [Fact]
    public void Add_IPv4ByAnIPv6Gateway_IsAsIpSays()
    {
        var gateway = IPAddress.Parse("fe80::7");
        Routes.Add(new Route { Destination = IPPrefix.Parse("10.1.0.0/16"), Gateway = gateway, LinkIndex = _link.Index });
        JsonElement via = Assert.Single(_network.Json("ip -json route show 10.1.0.0/16")).GetProperty("via");
        Assert.Equal(("inet6", "fe80::7"), (Text(via, "family"), Text(via, "host")));
    }

    [Fact]
    public void Add_OnlinkGateway_NeedsNoRouteToIt()
    {
        var route = new Route { Destination = IPPrefix.AnyIPv4, Gateway = IPAddress.Parse("169.254.1.1"), LinkIndex = _link.Index };
        NetlinkException error = Assert.Throws<NetlinkException>(() => Routes.Add(route));
        Assert.Equal(
            "Cannot add the route '0.0.0.0/0 via 169.254.1.1': Nexthop has invalid gateway: Network is unreachable (ENETUNREACH)",
            error.Message);
        Assert.Equal("Nexthop has invalid gateway", error.KernelMessage);
        Routes.Add(route with { Flags = RouteFlags.Onlink });
        Assert.True(Find("0.0.0.0/0").Flags.HasFlag(RouteFlags.Onlink));
    }

    [Fact]
    public void Replace_Route_TakesItsPlaceAndAppendStandsBehind()
    {
        var route = new Route { Destination = IPPrefix.Parse("10.1.0.0/16"), Gateway = IPAddress.Parse("10.0.0.7") };
        Routes.Replace(route);
        Routes.Replace(route with { Gateway = IPAddress.Parse("10.0.0.8") });
        Assert.Equal(NetlinkErrno.EEXIST, Assert.Throws<NetlinkException>(() => Routes.Add(route)).Errno);
        Routes.Append(route with { Gateway = IPAddress.Parse("10.0.0.9") });
        Assert.Equal(
            ["10.0.0.8", "10.0.0.9"], _network.Json("ip -json route show 10.1.0.0/16").Select(static json => Text(json, "gateway")));
    }

    [Fact]
    public void Delete_RouteAsItWasRead_RemovesThatOne()
    {
        _network.Run("ip route add 10.1.0.0/16 dev v0 metric 1; ip route add 10.1.0.0/16 dev v0 metric 2");
        _network.Run("ip -6 route add fd05::/48 dev v0 expires 60");
        Routes.Delete(Routes.List().Single(static route => route.Metric == 2 && route.Destination.Family == IPFamily.IPv4));
        Assert.Equal(1u, Find("10.1.0.0/16").Metric);
        Routes.Delete(Find("fd05::/48"));
        Routes.Delete(new Route { Destination = IPPrefix.Parse("10.1.0.0/16") });
        NetlinkException error = Assert.Throws<NetlinkException>(
            () => Routes.Delete(new Route { Destination = IPPrefix.Parse("10.1.0.0/16") }));
        Assert.Equal(
            (NetlinkErrno.ESRCH, "Cannot delete the route '10.1.0.0/16': No such process (ESRCH)"), (error.Errno, error.Message));
    }

    [Fact]
    public void List_MainTable_IsWhatIpSays()
    {
        _network.Run("ip route add 10.1.0.0/16 via 10.0.0.7; ip route add 10.2.0.0/16 dev v0 table 77; ip route add blackhole 10.3.0.0/16");
        Assert.Equal(
            _network.Json("ip -json route show table main").Select(static json => Text(json, "dst")),
            Routes.List(IPFamily.IPv4, RouteTables.Main).Select(static route => route.Destination.ToString()));
        Assert.Equal(_network.Json("ip -4 -json route show table all").Count, Routes.List(IPFamily.IPv4).Count);
        Assert.Equal(_network.Json("ip -6 -json route show table all").Count, Routes.List(IPFamily.IPv6).Count);
        Assert.Equal(Routes.List(IPFamily.IPv4).Count + Routes.List(IPFamily.IPv6).Count, Routes.List().Count);
        Assert.Empty(Routes.List(table: 4711));
    }

    [Fact]
    public void Batch_4096Routes_AreMadeListedAndDeleted()
    {
        const int Count = 4096;
        Route[] routes = [.. Enumerable.Range(0, Count).Select(number => new Route
        {
            Destination = new IPPrefix(new IPAddress([20, (byte)(number >> 8), (byte)number, 0]), 24),
            LinkIndex = _link.Index,
            Table = 1000,
            Scope = RouteScope.Link,
            Protocol = RouteProtocol.Static,
        })];
        NetlinkBatch batch = _network.Socket.CreateBatch();
        Array.ForEach(routes, batch.Routes.Add);
        long start = Stopwatch.GetTimestamp();
        Assert.All(batch.SendEach(), Assert.Null);
        IReadOnlyList<Route> listed = Routes.List(table: 1000);
        Assert.Equal(routes, listed);

        Routes.Delete(routes[7]);
        foreach (Route route in listed)
        {
            batch.Routes.Delete(route);
        }

        IReadOnlyList<NetlinkException?> results = batch.SendEach();
        TestContext.Current.SendDiagnosticMessage($"{Count} routes took {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms");
        Assert.Equal(NetlinkErrno.ESRCH, results[7]?.Errno);
        Assert.Single(results, static result => result is not null);
        Assert.Empty(Routes.List(table: 1000));

        // Refusals are longer than acknowledgements, and have room for all the same.
        Array.ForEach(routes, batch.Routes.Delete);
        Assert.All(batch.SendEach(), static result => Assert.Equal(NetlinkErrno.ESRCH, result?.Errno));
    }

    private Route Find(string destination) =>
        Routes.List().First(route => route.Destination == IPPrefix.Parse(destination));

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}
