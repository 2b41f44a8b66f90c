using System.Text.Json;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>Links of the running kernel, compared with what <c>ip</c> says.</summary>
public sealed class LinkTests : IDisposable
{
    private static readonly LinkAddress s_address = LinkAddress.Parse("02:00:00:00:00:01");

    private readonly TestNetwork _network = TestNetwork.Create();

    private LinkOperations Links => _network.Socket.Links;

    public void Dispose() => _network.Dispose();

    [Fact]
    public void Add_Veth_HasBothEndsWithTheirSettings()
    {
        Links.Add(new LinkSettings
        {
            Name = "near",
            Address = s_address,
            Mtu = 1400,
            TransmitQueueLength = 77,
            SetFlags = LinkFlags.Up,
            Group = 5,
            Kind = new VethKind { Peer = new LinkSettings { Name = "far", Mtu = 1300, TransmitQueues = 2, ReceiveQueues = 2 } },
        });

        Link near = Links.Get("near");
        Link far = Links.Get("far");
        Assert.Equal((s_address, 1400u, 77u, 5u), (near.Address, near.Mtu, near.TransmitQueueLength, near.Group));
        Assert.Equal((far.Index, near.Index), (near.Parent, far.Parent));
        Assert.Equal((1300u, 2u, 2u), (far.Mtu, far.TransmitQueues, far.ReceiveQueues));
        Assert.True(near.Flags.HasFlag(LinkFlags.Up));
        Assert.False(far.Flags.HasFlag(LinkFlags.Up));
        Assert.Equal(near, Links.Get(near.Index));
    }

    [Fact]
    public void List_EveryLink_IsAsIpSays()
    {
        _network.Run("""
            ip link add v0 type veth peer name v1; ip link set v0 up promisc on; ip link set v1 up multicast off arp off allmulticast on
            ip link add br0 type bridge; ip link set v1 master br0
            ip tuntap add tap0 mode tap; ip tuntap add tun0 mode tun user 5
            ip link add mv0 link v0 type macvlan; ip link add ifb7 type ifb
            """);
        List<JsonElement> expected = _network.Json("ip -json -details link show");
        IReadOnlyList<Link> links = Links.List();
        Assert.Equal(expected.Count, links.Count);
        foreach ((JsonElement json, Link link) in expected.Zip(links))
        {
            Assert.Equal(json.GetProperty("ifname").GetString(), link.Name);
            Assert.Equal(json.GetProperty("ifindex").GetInt32(), link.Index);
            Assert.Equal(json.GetProperty("mtu").GetUInt32(), link.Mtu);
            Assert.Equal(json.GetProperty("operstate").GetString(), link.OperState.ToString(), ignoreCase: true);
            Assert.Equal(Text(json, "address") ?? "", link.Address.ToString());
            Assert.Equal(Text(json, "broadcast") ?? "", link.Broadcast.ToString());
            Assert.Equal(json.GetProperty("promiscuity").GetUInt32(), link.Promiscuity);
            Assert.Equal(json.GetProperty("num_tx_queues").GetUInt32(), link.TransmitQueues);
            Assert.Equal(json.GetProperty("gso_max_size").GetUInt32(), link.GsoMaxSize);
            Assert.Equal(json.TryGetProperty("linkinfo", out JsonElement info) ? Text(info, "info_kind") : null, link.Kind?.Name);
            Assert.Equal(json.TryGetProperty("linkinfo", out info) ? Text(info, "info_slave_kind") : null, link.PortKind);
            Assert.Equal(Text(json, "master"), NameOf(link.Controller));
            Assert.Equal(Text(json, "link"), NameOf(link.Parent));
            List<string?> flags = [.. json.GetProperty("flags").EnumerateArray().Select(static flag => flag.GetString())];
            Assert.Equal(flags.Contains("UP"), link.Flags.HasFlag(LinkFlags.Up));
            Assert.Equal(flags.Contains("PROMISC"), link.Flags.HasFlag(LinkFlags.Promiscuous));
            Assert.Equal(flags.Contains("ALLMULTI"), link.Flags.HasFlag(LinkFlags.AllMulticast));
            Assert.Equal(flags.Contains("NOARP"), link.Flags.HasFlag(LinkFlags.NoArp));
            Assert.Equal(flags.Contains("MULTICAST"), link.Flags.HasFlag(LinkFlags.Multicast));
        }

        string? NameOf(int? index) => index is { } number ? links.Single(link => link.Index == number).Name : null;
    }

    [Fact]
    public void Change_Everything_IsAsIpSays()
    {
        Link link = _network.AddPair("v0", "v1");
        Links.Add(new LinkSettings { Name = "br0", Kind = new BridgeKind() });
        Links.SetDown(link.Index);
        Links.Change(link.Index, new LinkSettings
        {
            Name = "renamed",
            Mtu = 1280,
            Address = s_address,
            Alias = "text",
            TransmitQueueLength = 3,
            Controller = Links.Get("br0").Index,
            SetFlags = LinkFlags.Up | LinkFlags.Promiscuous | LinkFlags.NoArp | LinkFlags.AllMulticast,
            ClearFlags = LinkFlags.Multicast,
        });
        JsonElement json = Assert.Single(_network.Json("ip -json link show renamed"));
        Assert.Equal((1280, "02:00:00:00:00:01", "text", "br0"), (
            json.GetProperty("mtu").GetInt32(), Text(json, "address"), Text(json, "ifalias"), Text(json, "master")));
        Assert.Equal(3, json.GetProperty("txqlen").GetInt32());
        string flags = json.GetProperty("flags").GetRawText();
        Assert.All(["\"UP\"", "PROMISC", "NOARP", "ALLMULTI"], flag => Assert.Contains(flag, flags));
        Assert.DoesNotContain("\"MULTICAST\"", flags);

        Links.Change(link.Index, new LinkSettings { Controller = 0, ClearFlags = LinkFlags.Promiscuous | LinkFlags.NoArp, Alias = "" });
        Link changed = Links.Get(link.Index);
        Assert.Equal((null, null, LinkFlags.None), (
            changed.Controller, changed.Alias, changed.Flags & (LinkFlags.Promiscuous | LinkFlags.NoArp)));
    }

    [Fact]
    public void Delete_ByNameOrIndex_RemovesBothEnds()
    {
        _network.AddPair("a0", "a1");
        Link b = _network.AddPair("b0", "b1");
        Links.Delete("a1");
        Links.Delete(b.Index);
        Assert.Equal(["lo"], Links.List().Select(static link => link.Name));
        Assert.Null(Links.Find("a0"));
        NetlinkException error = Assert.Throws<NetlinkException>(() => Links.Delete("a0"));
        Assert.Equal((NetlinkErrno.ENODEV, "Cannot delete the link 'a0': No such device (ENODEV)"), (error.Errno, error.Message));
    }

    [Fact]
    public void Add_NameThatIsTaken_IsRefusedWithItsName()
    {
        _network.AddPair("v0", "v1");
        NetlinkException error = Assert.Throws<NetlinkException>(
            () => Links.Add(new LinkSettings { Name = "v0", Kind = new VethKind() }));
        Assert.Equal(NetlinkErrno.EEXIST, error.Errno);
        Assert.Equal("Cannot add the link 'v0': File exists (EEXIST)", error.Message);
    }

    [Fact]
    public void Add_NameThatIsTooLong_IsRefusedWithTheKernelsWords()
    {
        NetlinkException error = Assert.Throws<NetlinkException>(
            () => Links.Add(new LinkSettings { Name = "a-name-that-is-too-long", Kind = new VethKind() }));
        Assert.Equal((NetlinkErrno.ERANGE, "Attribute failed policy validation", 32u),
            (error.Errno, error.KernelMessage, error.AttributeOffset));
    }

    [Fact]
    public void Add_KindThatNobodyKnows_IsRefusedWithTheKernelsWords()
    {
        NetlinkException error = Assert.Throws<NetlinkException>(
            () => Links.Add(new LinkSettings { Name = "x", Kind = new OtherKind("nonsense") }));
        Assert.Equal("Cannot add the link 'x': Unknown device type: Operation not supported (EOPNOTSUPP)", error.Message);
    }

    [Fact]
    public void Add_BridgeWithSettings_HasThem()
    {
        var kind = new BridgeKind { SpanningTree = 1, ForwardDelay = 300, AgeingTime = 6000, Priority = 4096, SnoopsMulticast = false };
        var read = Assert.IsType<BridgeKind>(_network.Add(new LinkSettings { Name = "br0", Kind = kind }).Kind);
        Assert.Equal(kind, read with { FiltersVlans = null, DefaultVlan = null, SnoopsMulticast = read.SnoopsMulticast ?? false });
        JsonElement data = _network.Json("ip -json -details link show br0")[0].GetProperty("linkinfo").GetProperty("info_data");
        Assert.Equal((300, 6000, 1, 4096), (data.GetProperty("forward_delay").GetInt32(), data.GetProperty("ageing_time").GetInt32(),
            data.GetProperty("stp_state").GetInt32(), data.GetProperty("priority").GetInt32()));
    }

    [Fact]
    public void Change_SettingsOfABridge_HasThem()
    {
        Link bridge = _network.Add(new LinkSettings { Name = "br0", Kind = new BridgeKind() });
        Links.Change(bridge.Index, new LinkSettings { Kind = new BridgeKind { ForwardDelay = 400 } });
        Assert.Equal(((BridgeKind)bridge.Kind!) with { ForwardDelay = 400 }, Links.Get("br0").Kind);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Add_MacvlanOrMacvtap_LiesOnItsParent(bool isTap)
    {
        Link parent = _network.AddPair("v0", "v1");
        Link link = _network.Add(new LinkSettings
        {
            Name = "m0",
            Parent = parent.Index,
            Kind = new MacvlanKind(isTap) { Mode = MacvlanMode.Bridge },
        });
        var kind = Assert.IsType<MacvlanKind>(link.Kind);
        Assert.Equal((isTap, MacvlanMode.Bridge, parent.Index), (kind.IsTap, kind.Mode, link.Parent));
    }

    [Fact]
    public void Add_Dummy_IsOne() => Assert.IsType<DummyKind>(_network.Add(new LinkSettings { Name = "d0", Kind = new DummyKind() }).Kind);

    [Fact]
    public void Add_Ifb_IsOne() => Assert.IsType<IfbKind>(_network.Add(new LinkSettings { Name = "i0", Kind = new IfbKind() }).Kind);

    [Fact]
    public void Add_KindThatTheLibraryDoesNotKnow_KeepsItAsText() => Assert.Equal(
        new OtherKind("vxlan"), _network.Add(new LinkSettings { Name = "x0", Kind = new OtherKind("vxlan") }).Kind);

    [Fact]
    public void Add_Vlan_HasItsNumber()
    {
        Link parent = _network.AddPair("v0", "v1");
        var kind = new VlanKind { Id = 5, Protocol = 0x88a8 };
        Assert.Equal(kind, _network.Add(new LinkSettings { Name = "vl0", Parent = parent.Index, Kind = kind }).Kind);
    }

    [Fact]
    public void Add_Ipvlan_HasItsMode()
    {
        Link parent = _network.AddPair("v0", "v1");
        var kind = new IpvlanKind { Mode = IpvlanMode.L2, Flags = 0 };
        Assert.Equal(kind, _network.Add(new LinkSettings { Name = "ip0", Parent = parent.Index, Kind = kind }).Kind);
    }

    [Fact]
    public void Add_Vrf_HasItsTable()
    {
        var kind = new VrfKind { Table = 1000 };
        Assert.Equal(kind, _network.Add(new LinkSettings { Name = "vrf0", Kind = kind }).Kind);
    }

    [Fact]
    public void Add_Bond_HasPorts()
    {
        Link bond = _network.Add(new LinkSettings { Name = "b0", Kind = new BondKind { Mode = 1, MonitorInterval = 100 } });
        Links.Add(new LinkSettings { Name = "v0", Controller = bond.Index, Kind = new VethKind() });
        Link port = Links.Get("v0");
        Assert.Equal((bond.Index, "bond"), (port.Controller, port.PortKind));
        Assert.Equal((byte)1, Assert.IsType<BondKind>(Links.Get("b0").Kind).Mode);
    }

    [Theory]
    [InlineData("tap")]
    [InlineData("tun")]
    public void Get_TunOrTap_HasItsOwner(string mode)
    {
        Assert.SkipUnless(File.Exists("/dev/net/tun"), "needs /dev/net/tun");
        _network.Run($"ip tuntap add t0 mode {mode} user 1000 group 100 multi_queue");
        var kind = Assert.IsType<TunKind>(Links.Get("t0").Kind);
        Assert.Equal((mode == "tap", 1000u, 100u, true, true, false), (
            kind.IsTap, kind.Owner, kind.Group, kind.IsMultiQueue, kind.IsPersistent, kind.HasVirtioHeader));
    }

    [Fact]
    public void Change_Namespace_MovesTheLink()
    {
        using TestNetwork other = TestNetwork.Create();
        Link link = _network.AddPair("v0", "v1");
        Links.Change(link.Index, new LinkSettings { NetworkNamespace = other.Handle, Name = "eth0" });
        Assert.Null(Links.Find("v0"));
        Link moved = other.Socket.Links.Get("eth0");
        Assert.NotNull(moved.ParentNamespaceId);
        Assert.Equal(Links.Get("v1").Index, moved.Parent);
        Assert.Equal(other.Socket.GetNamespaceId(_network.Handle), moved.ParentNamespaceId);
    }

    [Fact]
    public void Add_VethWithItsPeerInAnotherNamespace_IsThere()
    {
        using TestNetwork other = TestNetwork.Create();
        Links.Add(new LinkSettings
        {
            Name = "pod0",
            Kind = new VethKind { Peer = new LinkSettings { Name = "eth0", Address = s_address, NetworkNamespace = other.Handle } },
        });
        Assert.Null(Links.Find("eth0"));
        Assert.Equal(s_address, other.Socket.Links.Get("eth0").Address);
    }

    [Fact]
    public void NamespaceId_SetOnce_StaysAsItIs()
    {
        using TestNetwork other = TestNetwork.Create();
        Assert.Null(_network.Socket.GetNamespaceId(other.Handle));
        _network.Socket.SetNamespaceId(other.Handle, 42);
        Assert.Equal(42, _network.Socket.GetNamespaceId(other.Handle));
        NetlinkException error = Assert.Throws<NetlinkException>(() => _network.Socket.SetNamespaceId(other.Handle));
        Assert.Equal(NetlinkErrno.EEXIST, error.Errno);
    }

    [Fact]
    public void Statistics_AfterPackets_CountThem()
    {
        using var socket = _network.Inside(static () => new System.Net.Sockets.UdpClient("127.0.0.1", 9));
        socket.Send(new byte[100]);
        LinkStatistics counters = Links.Get("lo").Statistics!;
        Assert.True(counters.SentPackets >= 1 && counters.SentBytes >= 128, counters.ToString());
        Assert.Equal((counters.SentBytes, counters.SentPackets), (counters.ReceivedBytes, counters.ReceivedPackets));
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}
