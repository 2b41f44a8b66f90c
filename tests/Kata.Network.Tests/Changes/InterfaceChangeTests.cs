using Kata.Netlink;
using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>What people ask of interfaces, in namespaces of the kernel's: the second one of <see cref="Pod"/> plays the host's.</summary>
[Collection(nameof(ProcessGroup))]
public sealed class InterfaceChangeTests : IDisposable
{
    private readonly Pod _pod = new();
    private readonly TakenLinks _taken;

    public InterfaceChangeTests() => _taken = new TakenLinks(() => Pod.Open(_pod.Peer));

    private int Eth0 => _pod.Network.Socket.Links.Get("eth0").Index;

    public void Dispose() => _pod.Dispose();

    [Fact]
    public void Add_LinkOfTheNamespace_IsConfiguredAndUndone()
    {
        _pod.Network.AddPair("net1", "far1");
        string before = State(_pod.Network);
        var change = new InterfaceChange(
            new InterfaceRequest
            {
                Device = "net1",
                Name = "data",
                Addresses = [IPPrefix.Parse("10.9.0.2/24"), IPPrefix.Parse("fd09::2/64")],
                Mtu = 1300,
                Address = LinkAddress.Parse("02:00:00:00:00:77"),
                NoArp = true,
            },
            _taken, isNew: true);

        change.Do(_pod.Space, [Eth0]);

        Link link = _pod.Network.Socket.Links.Get("data");
        Assert.Equal(link.Index, change.Card);
        Assert.Equal((1300u, "02:00:00:00:00:77"), (link.Mtu, link.Address.ToString()));
        Assert.True(link.Flags.HasFlag(LinkFlags.Up | LinkFlags.NoArp));
        Assert.Equal(["10.9.0.2/24", "fd09::2/64"], Addresses(_pod.Network, "data"));
        change.Undo(_pod.Space);
        Assert.Equal(before, State(_pod.Network));
    }

    [Fact]
    public void Add_LinkOfTheHost_IsMovedAndGoesBackAsItWas()
    {
        _pod.Peer.Run(
            "ip link add br0 type bridge; ip link set br0 up; ip link add h1 type veth peer name h2; ip link set h2 up; "
            + "ip link set h1 mtu 1450 address 02:00:00:00:00:31 up; ip addr add 10.20.0.1/24 dev h1; ip addr add fd20::1/64 dev h1 nodad; "
            + "ip route add 10.21.0.0/16 via 10.20.0.7; ip neigh add 10.20.0.9 lladdr 02:00:00:00:00:09 dev h1 nud permanent");
        (string pod, string host) = (State(_pod.Network), State(_pod.Peer));
        var add = new InterfaceChange(
            new InterfaceRequest { Device = "h1", Name = "eth1", Addresses = [IPPrefix.Parse("10.30.0.2/24")], Mtu = 1400 },
            _taken, isNew: true);
        add.Do(_pod.Space, []);
        Assert.Null(_pod.Peer.Socket.Links.Find("h1"));
        Assert.Equal(["10.30.0.2/24"], Addresses(_pod.Network, "eth1"));
        Assert.True(_taken.Has(add.Card!.Value));

        add.Undo(_pod.Space);

        Assert.Equal(pod, State(_pod.Network));
        Assert.Equal(host, State(_pod.Peer));
        Assert.False(_taken.Has(add.Card.Value));

        var again = new InterfaceChange(new InterfaceRequest { Device = "h1" }, _taken, isNew: true);
        again.Do(_pod.Space, []);
        var remove = new InterfaceRemoval(new InterfaceRequest { Name = "h1" }, _taken);
        remove.Do(_pod.Space, [again.Card!.Value]);
        remove.Finish(_pod.Space);
        Assert.Equal(pod, State(_pod.Network));
        Assert.Equal(host, State(_pod.Peer));
    }

    [Fact]
    public void Add_PortOfABridgeOfTheHost_GoesBackIntoTheBridge()
    {
        _pod.Peer.Run("ip link add h1 type veth peer name h2; ip link add br0 type bridge; ip link set h1 master br0");
        string host = State(_pod.Peer);
        var add = new InterfaceChange(new InterfaceRequest { Device = "h1" }, _taken, isNew: true);

        add.Do(_pod.Space, []);
        add.Undo(_pod.Space);

        Assert.Equal(host, State(_pod.Peer));
        Assert.Equal(_pod.Peer.Socket.Links.Get("br0").Index, _pod.Peer.Socket.Links.Get("h1").Controller);
    }

    [Fact]
    public void Undo_BridgeOfTheHostHasGone_GivesTheRestBack()
    {
        _pod.Peer.Run(
            "ip link add h1 type veth peer name h2; ip link add br0 type bridge; ip link set h1 master br0 up mtu 1450; "
            + "ip addr add 10.20.0.1/24 dev h1");
        var add = new InterfaceChange(new InterfaceRequest { Device = "h1", Mtu = 1300 }, _taken, isNew: true);
        add.Do(_pod.Space, []);
        _pod.Peer.Run("ip link del br0");

        add.Undo(_pod.Space);

        Link link = _pod.Peer.Socket.Links.Get("h1");
        Assert.Equal((null, 1450u, true), (link.Controller, link.Mtu, link.Flags.HasFlag(LinkFlags.Up)));
        Assert.Equal(["10.20.0.1/24"], Addresses(_pod.Peer, "h1"));
    }

    [Theory]
    [InlineData("nowhere0", "", "neither the pod's network namespace")]
    [InlineData("lo", "", "it is the loopback")]
    [InlineData("h1", "eth0", "the pod has an interface 'eth0' already")]
    [InlineData("world0", "", "the host reaches the world by its link 'world0'")]
    public void Add_OfWhatCannotBe_ChangesNothing(string device, string name, string reason)
    {
        _pod.Peer.Run(
            "ip link add h1 type veth peer name h2; ip link add world0 type veth peer name world1; ip link set world1 up; "
            + "ip link set world0 up; ip addr add 10.40.0.2/24 dev world0; ip route add default via 10.40.0.1");
        (string pod, string host) = (State(_pod.Network), State(_pod.Peer));
        var add = new InterfaceChange(new InterfaceRequest { Device = device, Name = name }, _taken, isNew: true);

        NetworkException error = Assert.Throws<NetworkException>(() => add.Do(_pod.Space, []));
        add.Undo(_pod.Space);

        Assert.StartsWith($"Cannot add the interface '{device}': ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal((pod, host), (State(_pod.Network), State(_pod.Peer)));
    }

    [Theory]
    [InlineData(Pod.Address + "/16", null, "the pod's interface 'eth0' has the address '10.0.0.2/24' already")]
    [InlineData("10.9.0.2/24", "eth0", "the pod's interface 'eth0' has the hardware address")]
    public void Add_WithWhatAnotherOneHas_IsRefused(string address, string? sameHardwareAs, string reason)
    {
        _pod.Network.AddPair("net1", "far1");
        var add = new InterfaceChange(
            new InterfaceRequest
            {
                Device = "net1",
                Addresses = [IPPrefix.Parse(address)],
                Address = sameHardwareAs is null ? null : _pod.Network.Socket.Links.Get(sameHardwareAs).Address,
            },
            _taken, isNew: true);

        NetworkException error = Assert.Throws<NetworkException>(() => add.Do(_pod.Space, []));

        Assert.Equal(NetworkError.AlreadyExists, error.Error);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains("Choose another one", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Update_AddressesAsAWhole_KeepsTheRoutesThatStillLeadSomewhere()
    {
        _pod.Network.Run(
            $"ip route add default via {Pod.PeerAddress}; ip addr add 10.8.0.1/24 dev eth0; ip route add 10.88.0.0/16 via 10.8.0.9");
        string before = State(_pod.Network);
        var update = new InterfaceChange(
            new InterfaceRequest { Name = "eth0", Addresses = [IPPrefix.Parse("10.0.0.3/24")], Mtu = 1300 }, _taken, isNew: false);

        update.Do(_pod.Space, [Eth0]);

        Assert.Equal(["10.0.0.3/24"], Addresses(_pod.Network, "eth0"));
        Assert.Contains($"default via {Pod.PeerAddress}", _pod.Network.Run("ip route"), StringComparison.Ordinal);
        Assert.Equal(1300u, _pod.Network.Socket.Links.Get("eth0").Mtu);
        update.Undo(_pod.Space);
        Assert.Equal(Sorted(before), Sorted(State(_pod.Network)));
    }

    [Fact]
    public void Update_NameAndAddressOneByOne_KeepsTheRest()
    {
        _pod.Network.Run($"ip route add default via {Pod.PeerAddress}");
        var update = new InterfaceChange(
            new InterfaceRequest
            {
                Device = "eth0",
                Name = "net0",
                Added = [IPPrefix.Parse("10.8.0.1/24")],
                Removed = [IPPrefix.Parse(Pod.Address + "/24")],
            },
            _taken, isNew: false);

        update.Do(_pod.Space, [Eth0]);

        Assert.Equal(["10.8.0.1/24"], Addresses(_pod.Network, "net0"));
        update.Undo(_pod.Space);
        Assert.Equal([Pod.Address + "/24"], Addresses(_pod.Network, "eth0"));
        Assert.Contains($"default via {Pod.PeerAddress} dev eth0", _pod.Network.Run("ip route"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eth7", null, "the guest has no such interface; it has 'eth0'")]
    [InlineData("eth0", "10.7.7.7/24", "it does not have the address '10.7.7.7/24'")]
    public void Update_OfWhatIsNotThere_IsNotFound(string name, string? removed, string reason)
    {
        var update = new InterfaceChange(
            new InterfaceRequest { Name = name, Removed = removed is null ? [] : [IPPrefix.Parse(removed)] }, _taken, isNew: false);

        NetworkException error = Assert.Throws<NetworkException>(() => update.Do(_pod.Space, [Eth0]));

        Assert.Equal(NetworkError.NotFound, error.Error);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Remove_LinkOfTheNamespace_StaysOffWithoutAddresses()
    {
        _pod.Network.Run($"ip route add default via {Pod.PeerAddress}");
        string before = State(_pod.Network);
        var remove = new InterfaceRemoval(
            new InterfaceRequest { Address = _pod.Network.Socket.Links.Get("eth0").Address }, _taken);

        remove.Do(_pod.Space, [Eth0]);

        Assert.Empty(Addresses(_pod.Network, "eth0"));
        Assert.False(_pod.Network.Socket.Links.Get("eth0").Flags.HasFlag(LinkFlags.Up));
        Assert.Empty(NetworkPlanner.Plan(HostNetwork.Read(_pod.Space), out _));
        remove.Undo(_pod.Space);
        Assert.Equal(before, State(_pod.Network));
    }

    [Fact]
    public void Remove_ByNameWithAnotherHardwareAddress_IsNotFound()
    {
        var remove = new InterfaceRemoval(
            new InterfaceRequest { Name = "eth0", Address = LinkAddress.Parse("02:00:00:00:00:77") }, _taken);

        NetworkException error = Assert.Throws<NetworkException>(() => remove.Do(_pod.Space, [Eth0]));

        Assert.Equal(NetworkError.NotFound, error.Error);
        Assert.Equal([Pod.Address + "/24"], Addresses(_pod.Network, "eth0"));
    }

    [Fact]
    public void Remove_LinkWhoseNameIsTakenOnTheHost_IsAsBefore()
    {
        _pod.Peer.Run("ip link add h1 type veth peer name h2");
        var add = new InterfaceChange(
            new InterfaceRequest { Device = "h1", Addresses = [IPPrefix.Parse("10.30.0.2/24")] }, _taken, isNew: true);
        add.Do(_pod.Space, []);
        _pod.Peer.Run("ip link add h1 type bridge");
        string before = State(_pod.Network);
        var remove = new InterfaceRemoval(new InterfaceRequest { Name = "h1" }, _taken);
        remove.Do(_pod.Space, [add.Card!.Value]);

        Assert.Throws<NetlinkException>(() => remove.Finish(_pod.Space));
        remove.Undo(_pod.Space);

        Assert.Equal(before, State(_pod.Network));
        Assert.True(_taken.Has(add.Card.Value));
    }

    private static string[] Addresses(TestNetwork network, string link) =>
    [
        .. network.Socket.Addresses.List(linkIndex: network.Socket.Links.Get(link).Index)
            .Where(static address => !address.Local.Address.IsIPv6LinkLocal).Select(static address => address.Local.ToString()),
    ];

    // What the kernel makes when it likes is nobody's setting; nor is where a link ends, and whether its carrier is back.
    private static string State(TestNetwork network) => string.Join('\n', network.Run(
        "ip -o link | sed 's/^[0-9]*: //; s/ state [A-Z]*//; s/@[^:]*//; s/,LOWER_UP//; s/NO-CARRIER,//; s/ qdisc [a-z]*//; s/,M-DOWN//; "
        + "s/ link-netns.*//'; ip -o addr | sed 's/^[0-9]*: //'; ip route; ip -6 route; ip neigh show nud permanent")
        .Split('\n').Where(static line => !line.Contains("fe80:", StringComparison.Ordinal))
        .Select(static line => line.Replace(" linkdown", "", StringComparison.Ordinal).Trim()));

    private static IEnumerable<string> Sorted(string lines) => lines.Split('\n').Order(StringComparer.Ordinal);
}
