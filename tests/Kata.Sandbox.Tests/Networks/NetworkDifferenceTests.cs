using Kata.Agent.Protocol.Extension;
using Kata.Netlink;
using Kata.Network;
using Kata.Testing;
using NetworkChange = Kata.Agent.Network.NetworkChange;

namespace Kata.Sandbox.Tests;

/// <summary>
/// A namespace of the host and one in the place of the guest's, in the running kernel: what is done in the one is said to the other, and
/// then <c>ip</c> says the same of both.
/// </summary>
public sealed class NetworkDifferenceTests : IDisposable
{
    private static readonly string[] s_seen =
    [
        "ip -o addr", "ip -4 route show table all", "ip -6 route show table all", "ip -4 rule", "ip -6 rule", "ip neigh show nud permanent",
        "ip -4 neigh show proxy; ip -6 neigh show proxy",
        "ip -o link | sed 's/ qdisc .*//; s/@[^:]*//'",
    ];

    private readonly TestNetwork _host = TestNetwork.Create();
    private readonly TestNetwork _guest = TestNetwork.Create();
    private readonly Dictionary<int, int> _guestLinks = new() { [1] = 1 };
    private NetworkState _told = NetworkState.Initial;

    public NetworkDifferenceTests()
    {
        // Addresses of the host are in use before the guest has them.
        _host.Run("for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $f; done");
        for (int number = 0; number < 2; number++)
        {
            // Numbers of their own, so that none is right by chance.
            _guest.AddPair($"dummy{number}", $"dummy{number}p");
            Link host = _host.AddPair($"eth{number}", $"peer{number}");
            int guest = _guest.AddPair($"card{number}", $"other{number}").Index;
            _guest.Run($"ip link set card{number} down; ip link set card{number} address {host.Address}");
            _guestLinks[host.Index] = guest;
        }

        _host.Run("ip link set eth0 down; ip link set eth1 down; ip link set eth0 up; ip link set eth1 up");
    }

    public static TheoryData<string> Changes => new(
    [
        "true",
        "ip addr add 10.0.0.2/24 brd + dev eth0; ip addr add 10.0.0.3/24 dev eth0; ip addr add 10.1.0.2/16 scope link dev eth0 "
            + "noprefixroute",
        "ip addr add 10.0.0.2 peer 10.0.0.9/24 dev eth0; ip addr add 10.2.0.2/24 dev eth0 label eth0:x; ip addr add 10.3.0.1/32 dev lo",
        "ip addr add fd00::2/64 dev eth0; ip addr add fd01::2/128 dev eth1 nodad; ip addr add fd02::2/64 dev eth1 noprefixroute home",
        "ip addr add 10.0.0.2/24 dev eth0 metric 50; ip addr add fd00::2/64 dev eth0 metric 60",
        "ip addr add 10.0.0.2/24 dev eth0; sleep 0.01; ip addr add 10.0.0.3/24 dev eth0 --- ip addr del 10.0.0.2/24 dev eth0",
        "ip addr add 10.0.0.2/24 dev eth0; ip route add default via 10.0.0.1 --- ip addr del 10.0.0.2/24 dev eth0; "
            + "ip addr add 10.0.0.2/24 brd + dev eth0; ip route add default via 10.0.0.1",
        "ip addr add 10.0.0.2/24 dev eth0; ip route add default via 10.9.9.9 dev eth0 onlink; ip route add 10.5.0.0/16 dev eth1 scope "
            + "link metric 7; ip route add blackhole 10.6.0.0/16; ip route add prohibit 10.7.0.0/16 metric 3; "
            + "ip route add unreachable 10.8.0.0/16",
        "ip addr add 10.0.0.2/24 dev eth0; ip route add 10.5.0.0/16 via 10.0.0.1 mtu lock 1300 advmss 1200 initcwnd 20 table 77; "
            + "ip route add default via 10.0.0.1 table 77 proto static src 10.0.0.2; ip rule add from 10.0.0.2 table 77 priority 100",
        "ip addr add 10.0.0.2/24 dev eth0; ip route add 10.5.0.0/16 nexthop via 10.0.0.1 weight 3 nexthop dev eth1 weight 1",
        "ip -6 route add default dev eth0 metric 2048; ip -6 route add blackhole fd66::/48; ip -6 route add unreachable fd67::/48 dev "
            + "lo; ip addr add fd00::2/64 dev eth0; ip -6 route add fd05::/48 via fd00::1 mtu 1400; "
            + "ip -6 route add fd06::/48 via fe80::1 dev eth1",
        "ip addr add fd00::2/64 dev eth0; ip -6 route add default via fd00::1 --- ip -6 route del default; "
            + "ip -6 route add default via fd00::3",
        "ip addr add fd00::2/64 dev eth0; ip -6 route add fd05::/48 via fd00::1 --- ip -6 route change fd05::/48 via fd00::1 mtu 1400",
        "ip -6 route add fd05::/48 dev eth0; ip -6 route append fd05::/48 dev eth1 --- ip -6 route del fd05::/48 dev eth0",
        "ip addr add fd00::2/64 dev eth0; ip -6 route add fd05::/48 nexthop via fd00::1 nexthop via fd00::3 --- "
            + "ip -6 route del fd05::/48 via fd00::3 --- ip -6 route append fd05::/48 via fd00::4",
        "ip route add 10.5.0.0/16 dev eth0; ip route add 10.5.0.0/16 dev eth1 metric 9 --- ip route del 10.5.0.0/16 dev eth0",
        "ip route add 10.5.0.0/16 dev eth0 --- ip route replace blackhole 10.5.0.0/16 --- ip route replace 10.5.0.0/16 dev eth1",
        "ip rule add from 10.0.0.0/8 to 10.9.0.0/16 iif eth0 fwmark 5/0xff lookup main priority 10; ip -6 rule add from fd00::/8 prohibit; "
            + "ip rule add not from 10.0.0.0/8 ipproto tcp dport 80-90 lookup 99 --- ip rule del priority 10",
        "ip rule add priority 100 lookup local; ip rule del priority 0 --- ip rule add priority 0 lookup local; ip rule del priority 100",
        "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent; ip neigh add fd00::9 lladdr 02:00:00:00:00:0a dev eth1 "
            + "nud permanent --- ip neigh del 10.0.0.9 dev eth0; ip neigh replace fd00::9 lladdr 02:00:00:00:00:0b dev eth1 nud permanent",
        "ip neigh add proxy 10.0.0.9 dev eth0; ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent; "
            + "ip neigh add proxy fd00::9 dev eth1 --- ip neigh del proxy 10.0.0.9 dev eth0; ip neigh del proxy fd00::9 dev eth1",
        "ip link set eth0 mtu 1400; ip link set eth1 arp off multicast off; ip link set eth1 allmulticast on promisc on",
        "ip addr add 10.0.0.2/24 dev eth0; ip route add default via 10.0.0.1; ip addr add fd00::2/64 dev eth0; ip link set eth0 down; "
            + "ip link set eth0 name net0; ip link set net0 up; ip route add default via 10.0.0.1; ip addr replace fd00::2/64 dev net0",
        "ip addr add 10.0.0.2/24 dev eth0; ip addr add 10.1.0.2/24 dev eth1 --- ip link set eth0 down; ip link set eth1 down; "
            + "ip link set eth0 name x; ip link set eth1 name eth0; ip link set x name eth1; ip link set eth0 up; ip link set eth1 up; "
            + "ip route add default via 10.0.0.1",
        "ip addr flush dev eth0 scope link; ip addr add fe80::42/64 dev eth0",
    ]);

    public void Dispose()
    {
        _host.Dispose();
        _guest.Dispose();
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void Between_WhatIpDoes_IsTheSameInTheGuest(string steps)
    {
        AssertSame();
        foreach (string step in steps.Split("---"))
        {
            _host.Run(step);
            AssertSame();
        }
    }

    [Fact]
    public void Between_SameState_SaysNothing()
    {
        _host.Run("ip addr add 10.0.0.2/24 dev eth0; ip route add default via 10.0.0.1; ip rule add from 10.0.0.2 table 9");
        AssertSame();
        Assert.Empty(NetworkDifference.Between(_told, _told, State()));
    }

    [Fact]
    public void Between_LinkWithoutIPv6_HasNoAddressOfItInTheGuest()
    {
        _host.Run("echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6");
        Tell();
        Assert.Empty(_guest.Run("ip -6 addr show dev eth0"));
        Assert.NotEmpty(_guest.Run("ip -6 addr show dev eth1"));
    }

    [Fact]
    public void Between_WhatTheGuestHasBesides_Stays()
    {
        AssertSame();
        _guest.Run("ip addr add 10.9.0.2/24 dev eth0; ip route add 10.8.0.0/16 via 10.9.0.1; ip rule add from 10.9.0.2 table 9");
        _host.Run("ip addr add 10.0.0.2/24 dev eth0; ip route add default via 10.0.0.1");
        Tell();
        Assert.Contains("10.9.0.2/24", _guest.Run("ip addr show dev eth0"));
        Assert.Contains("10.8.0.0/16 via 10.9.0.1", _guest.Run("ip route"));
        Assert.Contains("from 10.9.0.2 lookup 9", _guest.Run("ip rule"));
        Assert.Contains("default via 10.0.0.1", _guest.Run("ip route"));
    }

    // A gateway that changes, of either family: a connection made meanwhile finds a way.
    [Theory]
    [InlineData("10.0.0.2/24", "10.0.0.1", "10.0.0.3", RouteGroups.IPv4Routes)]
    [InlineData("fd00::2/64", "fd00::1", "fd00::3", RouteGroups.IPv6Routes)]
    public void Between_AnotherGateway_HasNoGap(string address, string before, string after, RouteGroups group)
    {
        _host.Run($"ip addr add {address} dev eth0; ip route add default via {before}");
        AssertSame();
        _host.Run($"ip route del default via {before}; ip route add default via {after}");
        using RouteEventReader reader = _guest.Inside(() => new RouteEventReader(group));
        Tell();
        Assert.True(reader.TryRead(out RouteEvent? first));
        Assert.False(Assert.IsType<RouteChangeEvent>(first).IsDeleted);
    }

    // Nobody but the guest can find out from here on, as it has all frames: it looks itself.
    [Fact]
    public void Between_AddressThatIsTentative_IsSoInTheGuest()
    {
        AssertSame();
        _host.Run("echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_dad; ip addr add fd00::2/64 dev eth0; "
            + "ip addr add fd00::3/64 dev eth0 nodad");
        NetworkState state = State();
        InterfaceAddress address = state.Addresses.Single(static item => item.Local == IPPrefix.Parse("fd00::2/64"));
        Assert.True(address.Flags.HasFlag(AddressFlags.Tentative));
        Apply(NetworkDifference.Between(_told, _told, state));
        Assert.Contains("fd00::2/64 scope global tentative", _guest.Run("ip addr show dev eth0"));
        Assert.Contains("fd00::3/64 scope global nodad", _guest.Run("ip addr show dev eth0"));
    }

    [Fact]
    public void Between_AddressThatAnotherHas_IsNotInTheGuest()
    {
        HostNetwork network = HostNetworkOf();
        InterfaceAddress address = new()
        {
            LinkIndex = Card(0).LinkIndex,
            Local = IPPrefix.Parse("fd00::2/64"),
            Flags = AddressFlags.DadFailed | AddressFlags.Tentative,
        };
        NetworkState state = NetworkState.Of(network with { Addresses = [address] }, Cards());
        Assert.Empty(state.Addresses);
    }

    // Routers announce them, and go on doing so to the guest: the host, which hears them no longer, must not end them there.
    [Fact]
    public void Between_WhatRoutersAnnounce_IsSaidOnceAndNeverTakenBack()
    {
        HostNetwork network = HostNetworkOf();
        int link = Card(0).LinkIndex;
        InterfaceAddress Address(int seconds) => new()
        {
            LinkIndex = link,
            Local = IPPrefix.Parse("fd00::2/64"),
            ValidLifetime = TimeSpan.FromSeconds(seconds),
            PreferredLifetime = TimeSpan.FromSeconds(seconds),
        };
        Route Announced(int seconds) => new()
        {
            Destination = IPPrefix.AnyIPv6,
            LinkIndex = link,
            Protocol = RouteProtocol.RouterAdvertisement,
            ExpiresIn = TimeSpan.FromSeconds(seconds),
        };
        NetworkState first = NetworkState.Of(network with { Addresses = [Address(100)], Routes = [Announced(100)] }, Cards());
        NetworkState later = NetworkState.Of(network with { Addresses = [Address(60)], Routes = [Announced(60)] }, Cards());
        NetworkState last = NetworkState.Of(network with { Addresses = [], Routes = [] }, Cards());
        Assert.Equal(2, Events(NetworkState.Initial, first).Count);
        Assert.Empty(NetworkDifference.Between(first, first, later));
        Assert.Empty(NetworkDifference.Between(later, later, last));
    }

    // Of IPv4 it is a client on the host that renews them, and that ends them.
    [Fact]
    public void Between_LeaseThatIsRenewed_IsSaidAgain()
    {
        AssertSame();
        _host.Run("ip addr add 10.0.0.2/24 dev eth0 valid_lft 100 preferred_lft 50");
        Tell();
        _host.Run("ip addr change 10.0.0.2/24 dev eth0 valid_lft 3000 preferred_lft 2000");
        Tell();
        Assert.Matches("valid_lft (3000|299[0-9])sec", _guest.Run("ip addr show dev eth0"));
        _host.Run("ip addr del 10.0.0.2/24 dev eth0");
        AssertSame();
    }

    [Fact]
    public void Without_ACard_IsSaidAnewToTheNextOne()
    {
        _host.Run("ip addr add 10.0.0.2/24 dev eth0; ip route add default via 10.0.0.1; ip route add blackhole 10.6.0.0/16");
        AssertSame();
        NetworkState without = _told.Without([Card(0).LinkIndex]);
        IReadOnlyList<RouteEvent> changes = Events(without, State());
        Assert.Contains(changes, static item => item is AddressEvent { IsDeleted: false });
        Assert.Equal("0.0.0.0/0", Assert.Single(changes.OfType<RouteChangeEvent>()).Route.Destination.ToString());
    }

    [Fact]
    public void Between_ManyRoutes_AreSeveralRequests()
    {
        _host.Run("for i in $(seq 0 129); do for j in $(seq 0 79); do echo route add 10.$i.$j.0/24 dev eth0; done; done | ip -batch -");
        IReadOnlyList<ChangeNetworkRequest> requests = NetworkDifference.Between(NetworkState.Initial, NetworkState.Initial, State());
        Assert.Equal(2, requests.Count);
        Assert.All(requests, static request => Assert.InRange(request.CalculateSize(), 1, 2 * 1024 * 1024));
        AssertSame();
    }

    // Of a call that failed nobody knows what was done.
    [Fact]
    public void Between_AfterAFailure_WhatMayHaveBeenDoneIsTakenBackAndDoneAgain()
    {
        _host.Run("ip addr add 10.0.0.2/24 dev eth0; ip route add 10.5.0.0/16 via 10.0.0.1; ip addr add 10.1.0.2/24 dev eth1");
        AssertSame();
        NetworkState before = _told;
        _host.Run("ip addr add 10.0.0.7/32 dev eth0; ip route add 10.6.0.0/16 via 10.0.0.1; ip rule add table 9; "
            + "ip addr del 10.1.0.2/24 dev eth1");
        NetworkState failed = State();
        Apply(NetworkDifference.Between(before, before, failed));
        _host.Run("ip addr del 10.0.0.7/32 dev eth0; ip route del 10.6.0.0/16; ip rule del table 9; ip addr add 10.1.0.2/24 dev eth1");
        _told = State();
        Apply(NetworkDifference.Between(before.And(failed), before.Or(failed), _told));
        AssertSame();
    }

    // It is whoever disabled it there that wants it so.
    [Fact]
    public void Apply_GuestWithoutIPv6_TakesTheRest()
    {
        AssertSame();
        _guest.Run("echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6");
        _host.Run("ip addr add 10.0.0.2/24 dev eth0; ip addr add fd00::2/64 dev eth0; ip -6 route add fd05::/48 dev eth0");
        Tell();
        Assert.Contains("10.0.0.2/24", _guest.Run("ip addr show dev eth0"));
        Assert.DoesNotContain("fd00", _guest.Run("ip addr show dev eth0"));
    }

    [Fact]
    public void Apply_ChangeThatTheKernelRefuses_OthersAreMade()
    {
        AssertSame();
        RouteEvent[] changes =
        [
            new RouteChangeEvent(
                false, new Route { Destination = IPPrefix.Parse("10.5.0.0/16"), Gateway = System.Net.IPAddress.Parse("10.77.0.1") }),
            new AddressEvent(false, new InterfaceAddress { LinkIndex = Card(0).LinkIndex, Local = IPPrefix.Parse("10.0.0.2/24") }),
        ];
        var change = new NetworkChange(_guest.Socket, _guestLinks);
        NetlinkException error = Assert.Throws<NetlinkException>(() => change.Apply([], [], changes));
        Assert.Contains("10.5.0.0/16 via 10.77.0.1", error.Message);
        Assert.Contains("10.0.0.2/24", _guest.Run("ip addr"));
    }

    [Fact]
    public void Apply_LinkThatWasNotTold_IsRefusedAndNothingIsChanged()
    {
        RouteEvent[] changes =
        [
            new RuleEvent(false, new RoutingRule { Family = IPFamily.IPv4, Table = 9 }),
            new AddressEvent(false, new InterfaceAddress { LinkIndex = 4711, Local = IPPrefix.Parse("10.0.0.2/24") }),
        ];
        var change = new NetworkChange(_guest.Socket, _guestLinks);
        Assert.Contains(
            "the link 4711", Assert.Throws<Grpc.Core.RpcException>(() => change.Apply([], [], changes)).Status.Detail);
        Assert.DoesNotContain("lookup 9", _guest.Run("ip rule"));
        Assert.Contains("make no sense", Assert.Throws<Grpc.Core.RpcException>(static () => NetworkChange.Read("abc"u8)).Status.Detail);
    }

    private void AssertSame()
    {
        Settle(_host);
        Tell();
        string[] addresses = Lines(_host, "ip -o -6 addr");
        Assert.Equal(addresses, Lines(_guest, "ip -o -6 addr")); // at once: none is tentative
        Settle(_guest);
        foreach (string command in s_seen)
        {
            Assert.Equal(Lines(_host, command), Lines(_guest, command));
        }
    }

    // When a link goes up the kernel makes addresses and routes some moments later.
    private static void Settle(TestNetwork network)
    {
        string last = "";
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                string before = last;
                Thread.Sleep(20);
                last = string.Join('\n', Lines(network, "ip -o addr; ip -6 route show table all"));
                return last == before && !last.Contains("tentative", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(10)));
    }

    private static IReadOnlyList<RouteEvent> Events(NetworkState before, NetworkState now) =>
        [.. NetworkDifference.Between(before, before, now).SelectMany(static item => NetworkChange.Read(item.Changes.Span))];

    // Without the numbers of links, and without those that only one of them has.
    private static string[] Lines(TestNetwork network, string command) =>
    [
        .. network.Run(command).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(static line => !line.Contains("peer0") && !line.Contains("peer1") && !line.Contains("other") && !line.Contains("dummy"))
            .Select(static line => System.Text.RegularExpressions.Regex.Replace(line, "^[0-9]+: +|nhid [0-9]+ |[0-9]+sec", "").Trim())
            .Order(StringComparer.Ordinal),
    ];

    private void Tell()
    {
        NetworkState state = State();
        Apply(NetworkDifference.Between(_told, _told, state));
        _told = state;
    }

    private void Apply(IEnumerable<ChangeNetworkRequest> requests)
    {
        foreach (ChangeNetworkRequest request in requests)
        {
            new NetworkChange(_guest.Socket, _guestLinks).Apply(request.Interfaces, [], NetworkChange.Read(request.Changes.Span));
        }
    }

    private NetworkState State() => NetworkState.Of(HostNetworkOf(), Cards());

    private HostNetwork HostNetworkOf() => new(
        _host.Socket.Links.List(), _host.Socket.Addresses.List(), _host.Socket.Routes.List(),
        [.. _host.Socket.Neighbours.List(), .. _host.Socket.Neighbours.ListProxies()], _host.Socket.Rules.List());

    private EndpointPlan[] Cards() => [Card(0), Card(1)];

    private EndpointPlan Card(int number)
    {
        Link link = _host.Socket.Links.Get(_guestLinks.Keys.Where(static index => index != 1).Order().ElementAt(number));
        return new EndpointPlan(link.Index, link.Name, link.Address, link.Mtu);
    }
}
