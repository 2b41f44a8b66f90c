using Grpc.Core;
using Kata.Agent.Network;
using Kata.Agent.Protocol;
using Kata.Netlink;

namespace Kata.Agent.Tests;

/// <summary>
/// What the host says of an interface, in the running kernel. The messages have no peer, label, scope, lifetime or flags of addresses.
/// </summary>
public sealed class InterfaceChangeTests : IDisposable
{
    private readonly GuestCards _cards = new();

    private NetlinkSocket Socket => _cards.Socket;

    public void Dispose() => _cards.Dispose();

    [Fact]
    public void Apply_Everything_IsAsWanted()
    {
        Interface wanted = _cards.Wanted(_cards.Eth0, "net1", "10.0.0.2/24", "10.0.1.2/16", "fd00::2/64");
        wanted.Mtu = 1400;
        _cards.Apply(_cards.Eth0, wanted);

        Link link = _cards.Link(_cards.Eth0);
        Assert.Equal(("net1", 1400u), (link.Name, link.Mtu));
        Assert.True(link.Flags.HasFlag(LinkFlags.Up));
        Assert.Equal(["10.0.0.2/24", "10.0.1.2/16", "fd00::2/64"], _cards.Addresses(_cards.Eth0));
        Interface answer = InterfaceMessages.Of(link, Socket.Addresses.List(linkIndex: link.Index));
        Assert.Equal(wanted.IPAddresses.Select(Text), answer.IPAddresses.Select(Text));
    }

    [Fact]
    public void Apply_CardThatIsDown_IsUpAfterwards()
    {
        Socket.Links.SetDown(_cards.Eth0);
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "net1"));
        Assert.True(_cards.Link(_cards.Eth0).Flags.HasFlag(LinkFlags.Up));
    }

    [Fact]
    public void Apply_NoNameAndNoSize_LeavesThem()
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, ""));
        Assert.Equal(("eth0", 1500u), (_cards.Link(_cards.Eth0).Name, _cards.Link(_cards.Eth0).Mtu));
    }

    [Fact]
    public void Apply_NameOfAnother_TakesItAndGivesThatOneANewName()
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth1"));
        Assert.Equal(("eth1", $"kata{_cards.Eth1}"), (_cards.NameOf(_cards.Eth0), _cards.NameOf(_cards.Eth1)));
        Assert.True(_cards.Link(_cards.Eth1).Flags.HasFlag(LinkFlags.Up));
    }

    [Fact]
    public void Apply_TwoSwapTheirNames_HaveThem()
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth1", "10.0.0.2/24"));
        _cards.Apply(_cards.Eth1, _cards.Wanted(_cards.Eth1, "eth0", "10.1.0.2/24"));
        Assert.Equal(("eth1", "eth0"), (_cards.NameOf(_cards.Eth0), _cards.NameOf(_cards.Eth1)));
        Assert.Equal(["10.0.0.2/24"], _cards.Addresses(_cards.Eth0));
        Assert.Equal(["10.1.0.2/24"], _cards.Addresses(_cards.Eth1));
    }

    // The name that a displaced one gets may be what somebody wants, or has.
    [Fact]
    public void Apply_NameThatADisplacedOneHas_TakesItToo()
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth1"));
        string displaced = _cards.NameOf(_cards.Eth1);
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, displaced));
        Assert.Equal(displaced, _cards.NameOf(_cards.Eth0));
        Assert.NotEqual(displaced, _cards.NameOf(_cards.Eth1));
    }

    [Fact]
    public void Apply_ThirdHasTheNameOfADisplacedOne_AllHaveNames()
    {
        int third = _cards.Network.AddPair($"kata{_cards.Eth1}", "peer2").Index;
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth1"));
        Assert.Equal("eth1", _cards.NameOf(_cards.Eth0));
        Assert.Equal(3, new[] { _cards.Eth0, _cards.Eth1, third }.Select(_cards.NameOf).Distinct().Count());
    }

    // A card that goes down for its new name loses those of IPv6.
    [Fact]
    public void Apply_NewName_KeepsTheAddresses()
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", "10.0.0.2/24", "fd00::2/64"));
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "net1", "10.0.0.2/24", "fd00::2/64"));
        Assert.Equal(["10.0.0.2/24", "fd00::2/64"], _cards.Addresses(_cards.Eth0));
    }

    [Theory]
    [InlineData("sixteen-bytes-xx")]
    [InlineData("a/b")]
    [InlineData(".")]
    public void Apply_NameThatTheKernelRefuses_IsRefusedAndTheCardIsAsBefore(string name)
    {
        Assert.Throws<NetlinkException>(() => _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, name)));
        Assert.Equal("eth0", _cards.NameOf(_cards.Eth0));
        Assert.True(_cards.Link(_cards.Eth0).Flags.HasFlag(LinkFlags.Up));
    }

    [Fact]
    public void Apply_SizeThatNoInterfaceHas_IsRefused()
    {
        Interface wanted = _cards.Wanted(_cards.Eth0, "eth0");
        wanted.Mtu = (ulong)uint.MaxValue + 1500;
        AssertInvalid("'4294968795' bytes", () => _cards.Apply(_cards.Eth0, wanted));
        wanted.Mtu = 65_536;
        Assert.Equal(NetlinkErrno.EINVAL, Assert.Throws<NetlinkException>(() => _cards.Apply(_cards.Eth0, wanted)).Errno);
    }

    [Fact]
    public void Apply_AddressesComeAndGo_TheOthersStayAsTheyAre()
    {
        var kept = new InterfaceAddress
        {
            LinkIndex = _cards.Eth0,
            Local = IPPrefix.Parse("10.0.0.2/24"),
            ValidLifetime = TimeSpan.FromSeconds(5000),
            PreferredLifetime = TimeSpan.FromSeconds(4000),
        };
        Socket.Addresses.Add(kept);
        Socket.Addresses.Add(kept with { Local = IPPrefix.Parse("10.1.0.2/24") });
        AddIPv6("fd00::2/64", lifetime: null);

        List<RouteEvent> events = _cards.EventsOf(RouteGroups.Addresses | RouteGroups.Links, () => _cards.Apply(
            _cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", "10.0.0.2/24", "10.2.0.2/24", "fd00::2/64", "fd01::2/64")));

        Assert.Equal(["10.0.0.2/24", "10.2.0.2/24", "fd00::2/64", "fd01::2/64"], _cards.Addresses(_cards.Eth0).Order());
        Assert.Equal(
            ["-10.1.0.2/24", "10.2.0.2/24"],
            events.OfType<AddressEvent>()
                .Where(static item => item.Address.Local != IPPrefix.Parse("fd01::2/64")) // is told later
                .Select(static item => $"{(item.IsDeleted ? "-" : "")}{item.Address.Local}"));
        Assert.DoesNotContain(events, static item => item is LinkEvent);
        Assert.InRange(
            Socket.Addresses.List(linkIndex: _cards.Eth0).Single(item => item.Local == kept.Local).ValidLifetime!.Value,
            TimeSpan.FromSeconds(4000),
            TimeSpan.FromSeconds(5000));
    }

    [Fact]
    public void Apply_TheSameAgain_ChangesNothing()
    {
        Interface wanted = _cards.Wanted(_cards.Eth0, "net1", "10.0.0.2/24", "10.0.0.3/24", "fd00::2/64");
        (wanted.Mtu, wanted.RawFlags) = (1400, (uint)LinkFlags.NoArp);
        _cards.Apply(_cards.Eth0, wanted);
        Assert.Empty(_cards.EventsOf(RouteGroups.All, () => _cards.Apply(_cards.Eth0, wanted)));
    }

    // The kernel takes those of the same prefix away with the first one of it.
    [Theory]
    [InlineData("10.0.0.3/24")]
    [InlineData("10.0.0.4/24", "10.0.0.3/24")]
    [InlineData("10.0.0.3/24", "10.0.0.9/24")]
    [InlineData("10.9.0.2/24")]
    [InlineData]
    public void Apply_FirstOfAPrefixGoes_TheOthersThatAreWantedAreThere(params string[] wanted)
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", "10.0.0.2/24", "10.0.0.3/24", "10.0.0.4/24"));
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", wanted));
        Assert.Equal(wanted.Order(), _cards.Addresses(_cards.Eth0).Order());
    }

    [Fact]
    public void Apply_LengthOfThePrefixChanges_IsTheNewOne()
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", "10.0.0.2/24", "fd00::2/64"));
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", "10.0.0.2/16", "fd00::2/80"));
        Assert.Equal(["10.0.0.2/16", "fd00::2/80"], _cards.Addresses(_cards.Eth0));
    }

    // Until the kernel has asked whether another has it a server cannot be bound to it.
    [Fact]
    public void Apply_IPv6_CanBeUsedAtOnce()
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", "fd00::2/64"));
        InterfaceAddress address = Assert.Single(Socket.Addresses.List(linkIndex: _cards.Eth0));
        Assert.False(address.Flags.HasFlag(AddressFlags.Tentative));
        Assert.True(address.Flags.HasFlag(AddressFlags.NoDad | AddressFlags.Permanent));
    }

    [Fact]
    public void Apply_LinkLocalThatTheHostDoesNotName_Stays()
    {
        AddIPv6("fe80::1/64", lifetime: null);
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", "fe80::2/64"));
        Assert.Equal(["fe80::1/64", "fe80::2/64"], _cards.Addresses(_cards.Eth0).Order());
    }

    // The kernel makes it of a prefix that a router announces.
    [Fact]
    public void Apply_IPv6ThatLastsForSomeTime_Stays()
    {
        AddIPv6("fd05::2/64", TimeSpan.FromHours(1));
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0"));
        Assert.Equal(["fd05::2/64"], _cards.Addresses(_cards.Eth0));
    }

    [Theory]
    [InlineData("10.0.0.2/24", "10.0.0.255")]
    [InlineData("10.1.2.3/20", "10.1.15.255")]
    [InlineData("10.0.0.2/30", "10.0.0.3")]
    [InlineData("10.0.0.2/31", null)]
    [InlineData("10.0.0.2/32", null)]
    [InlineData("fd00::2/64", null)]
    public void Apply_Address_HasTheBroadcastThatItsPrefixHasRoomFor(string address, string? broadcast)
    {
        _cards.Apply(_cards.Eth0, _cards.Wanted(_cards.Eth0, "eth0", address));
        Assert.Equal(broadcast, Assert.Single(Socket.Addresses.List(linkIndex: _cards.Eth0)).Broadcast?.ToString());
    }

    [Fact]
    public void Apply_NoArp_IsSwitchedOnAndOff()
    {
        Interface wanted = _cards.Wanted(_cards.Eth0, "eth0", "10.0.0.2/24");
        wanted.RawFlags = (uint)(LinkFlags.NoArp | LinkFlags.Promiscuous); // of the others the guest decides
        _cards.Apply(_cards.Eth0, wanted);
        Assert.True(_cards.Link(_cards.Eth0).Flags.HasFlag(LinkFlags.NoArp));
        Assert.False(_cards.Link(_cards.Eth0).Flags.HasFlag(LinkFlags.Promiscuous));
        wanted.RawFlags = 0;
        _cards.Apply(_cards.Eth0, wanted);
        Assert.False(_cards.Link(_cards.Eth0).Flags.HasFlag(LinkFlags.NoArp));
        Assert.Equal(["10.0.0.2/24"], _cards.Addresses(_cards.Eth0));
    }

    [Theory]
    [InlineData("", "24")]
    [InlineData("10.0.0", "x")]
    [InlineData("10.0.0.2", "")]
    [InlineData("10.0.0.2", "33")]
    [InlineData("10.0.0.2", "-1")]
    [InlineData("10.0.0.2", "255.255.255.0")]
    [InlineData("10.0.0.2/24", "24")]
    [InlineData("fd00::2", "129")]
    [InlineData("fd00::g", "64")]
    [InlineData("10.0.0.2\0", "24")]
    public void Apply_AddressThatIsNone_IsRefusedAndNothingIsChanged(string address, string mask)
    {
        Interface wanted = _cards.Wanted(_cards.Eth0, "net1", "10.0.0.9/24");
        wanted.IPAddresses.Add(new IPAddress { Address = address, Mask = mask });
        List<RouteEvent> events = _cards.EventsOf(
            RouteGroups.All, () => AssertInvalid($"'{address}' with the prefix length '{mask}'", () => _cards.Apply(_cards.Eth0, wanted)));
        Assert.Empty(events);
    }

    [Theory]
    [InlineData("")]
    [InlineData("02:00:00:00:00")]
    [InlineData("eth0")]
    public async Task UpdateInterface_AddressOfNoCard_IsRefused(string address)
    {
        using var devices = new AnnouncedDevices();
        using var network = new GuestNetwork(devices.Registry, () => Assert.Fail("the driver is not asked for"));
        if (address == "02:00:00:00:00")
        {
            address += ":zz";
        }

        RpcException error = await Assert.ThrowsAsync<RpcException>(
            () => network.UpdateInterfaceAsync(new Interface { HwAddr = address }, TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains($"'{address}'", error.Status.Detail);
    }

    [Theory]
    [InlineData("", "02:00:00:00:00:09", "eth0", "'' is no address")]
    [InlineData("10.0.0.x", "02:00:00:00:00:09", "eth0", "'10.0.0.x' is no address")]
    [InlineData("10.0.0.9", "02:00", "eth0", null)]
    [InlineData("10.0.0.9", "2:0", "eth0", "'2:0' is no hardware address")]
    [InlineData("10.0.0.9", "", "eth0", "'' is no hardware address")]
    [InlineData("10.0.0.9", "02:00:00:00:00:09", "eth9", "no interface 'eth9'")]
    [InlineData("10.0.0.9", "02:00:00:00:00:09", "", "no interface ''")]
    public void ParseNeighbour_Text_IsReadOrRefused(string address, string hardware, string device, string? refusal)
    {
        var message = new ARPNeighbor { ToIPAddress = new IPAddress { Address = address }, Lladdr = hardware, Device = device };
        if (refusal is null)
        {
            Assert.Equal(hardware, InterfaceMessages.Parse(message, Socket.Links.List()).LinkAddress.ToString());
        }
        else
        {
            AssertInvalid(refusal, () => InterfaceMessages.Parse(message, Socket.Links.List()));
        }
    }

    [Fact]
    public void ParseNeighbour_WithoutAState_IsPermanent()
    {
        Neighbour neighbour = InterfaceMessages.Parse(
            new ARPNeighbor { ToIPAddress = new IPAddress { Address = "fd00::9" }, Lladdr = "02:00:00:00:00:09", Device = "eth1" },
            Socket.Links.List());
        Assert.Equal((_cards.Eth1, NeighbourState.Permanent), (neighbour.LinkIndex, neighbour.State));
        Socket.Neighbours.Replace(neighbour);
        Assert.Contains("fd00::9 dev eth1 lladdr 02:00:00:00:00:09 PERMANENT", _cards.Network.Run("ip neigh"));
    }

    [Fact]
    public void Find_Address_IsTheCardsAndNeverTheLoopbacks()
    {
        IReadOnlyList<Link> links = Socket.Links.List();
        Assert.Equal(_cards.Eth1, InterfaceMessages.Find(links, _cards.Link(_cards.Eth1).Address)?.Index);
        Assert.Null(InterfaceMessages.Find(links, LinkAddress.Parse("00:00:00:00:00:00")));
    }

    internal static void AssertInvalid(string text, Action work)
    {
        RpcException error = Assert.Throws<RpcException>(work);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains(text, error.Status.Detail);
    }

    private void AddIPv6(string address, TimeSpan? lifetime) => Socket.Addresses.Add(new InterfaceAddress
    {
        LinkIndex = _cards.Eth0,
        Local = IPPrefix.Parse(address),
        Flags = AddressFlags.NoDad,
        ValidLifetime = lifetime,
        PreferredLifetime = lifetime,
    });

    private static string Text(IPAddress address) => $"{address.Address}/{address.Mask}";
}
