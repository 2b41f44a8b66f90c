using System.Net;
using Kata.Linux;
using Kata.Netlink;
using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>Which interfaces are cards of the host for a guest, and what is kept of them.</summary>
public sealed class HostCardTests : IDisposable
{
    private const string Device = "0000:00:05.0", Sibling = "0000:00:05.1";

    private readonly FakeSysfs _sysfs = new();
    private readonly PciBus _bus;
    private readonly Link _link = new() { Index = 3, Name = "fast0", ParentBus = "pci", ParentDevice = Device };

    public HostCardTests()
    {
        _bus = new PciBus(_sysfs.Root, _sysfs.Write);
        _sysfs.AddDriver(PciBus.VfioDriver);
        _sysfs.AddDevice(Device, "igb", group: 7);
    }

    public void Dispose() => _sysfs.Dispose();

    [Fact]
    public void Find_CardBehindAnIommu_IsTheGuests()
    {
        Assert.Equal(Address(Device), HostCards.Find(_bus, _link, out string? warning));
        Assert.Null(warning);
    }

    [Fact]
    public void Find_WhatIsNoCardOrHasNoIommu_IsCarriedWithoutAWord()
    {
        _sysfs.AddDevice(Sibling, "igb", group: null);
        Link[] links =
        [
            _link with { ParentDevice = Sibling }, _link with { Kind = new VethKind() },
            _link with { ParentBus = "usb", ParentDevice = "1-1:1.0" }, _link with { ParentBus = null, ParentDevice = null },
        ];
        Assert.All(links, link =>
        {
            Assert.Null(HostCards.Find(_bus, link, out string? warning));
            Assert.Null(warning);
        });
    }

    [Fact]
    public void Find_NoVfioDriver_IsCarriedWithAWarning()
    {
        Directory.Delete($"{_sysfs.Root}/bus/pci/drivers/{PciBus.VfioDriver}");
        Assert.Null(HostCards.Find(_bus, _link, out string? warning));
        Assert.Contains("'modprobe vfio-pci'", warning);
    }

    [Fact]
    public void Find_CardWhoseFunctionsWouldEnd_IsCarriedWithAWarning()
    {
        File.WriteAllText($"{_sysfs.PathOf(Device)}/sriov_numvfs", "2\n");
        Assert.Null(HostCards.Find(_bus, _link, out string? warning));
        Assert.Contains("Give the pod one of them", warning);
    }

    [Fact]
    public void Find_DeviceOfSeveralInterfaces_IsCarriedWithAWarning()
    {
        Directory.CreateDirectory($"{_sysfs.PathOf(Device)}/net/port1");
        Assert.Null(HostCards.Find(_bus, _link, out string? warning));
        Assert.Contains("the host has 'port1'", warning);
    }

    [Fact]
    public void Take_GroupWithAUserOfTheHost_NamesIt()
    {
        _sysfs.AddDevice(Sibling, "ahci", group: 7, type: "0x010601");
        NetworkException error = Assert.Throws<NetworkException>(() => HostCards.Take(_bus, Card(), [Address(Device)]));
        Assert.Contains($"the host uses '{Sibling}' (ahci)", error.Message);
        Assert.Contains("another IOMMU group than 7", error.Message);
        Assert.Equal("igb", _sysfs.DriverOf(Device));

        HostCards.Take(_bus, Card(), [Address(Device), Address(Sibling)]);
        Assert.Equal(PciBus.VfioDriver, _sysfs.DriverOf(Device));
    }

    [Fact]
    public void Take_DriverRefuses_IsUndone()
    {
        _sysfs.Refuse(PciBus.VfioDriver);
        Assert.Contains("'fast0'", Assert.Throws<NetworkException>(() => HostCards.Take(_bus, Card(), [])).Message);
        Assert.Equal("igb", _sysfs.DriverOf(Device));
    }

    [Theory]
    [InlineData("/run/netns/a name", null)]
    [InlineData("/proc/12/ns/net", "igb")]
    public void Parse_WhatIsWritten_IsTheSame(string path, string? forced)
    {
        HostCard card = Card() with { Path = path, Forced = forced };
        HostCard? read = HostCard.Parse(card.ToString());
        Assert.NotNull(read);
        Assert.Equal(card.ToString(), read.ToString());
        Assert.Equal((card.Device, card.Driver, forced, card.Inode, path), (read.Device, read.Driver, read.Forced, read.Inode, read.Path));
        Assert.Equal(card.State.Addresses, read.State.Addresses);
        Assert.Equal(card.State.Routes, read.State.Routes);
        Assert.Equal(card.State.Neighbours, read.State.Neighbours);
        Assert.Equal(("fast0", 9000u, true, false), (read.State.Name, read.State.Mtu, read.State.IsUp, read.State.NoArp));
        Assert.DoesNotContain('\n', card.ToString());
    }

    [Fact]
    public void Parse_Bare_HasNoRecords()
    {
        HostCard card = Card();
        card = card with { State = card.State with { Addresses = [], Routes = [], Neighbours = [] } };
        Assert.Empty(HostCard.Parse(card.ToString())!.State.Routes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("1 0000:00:05.9 igb - fast0 02:00:00:00:00:01 1500 1 - /x")]
    [InlineData("1 0000:00:05.0 igb - fast0 02:zz:00:00:00:01 1500 1 - /x")]
    [InlineData("-1 0000:00:05.0 igb - fast0 02:00:00:00:00:01 1500 1 - /x")]
    [InlineData("1 0000:00:05.0 igb - fast0 02:00:00:00:00:01 1500 1 !! /x")]
    [InlineData("1 0000:00:05.0 igb - fast0 02:00:00:00:00:01 1500 1 AAAA /x")]
    [InlineData("1 0000:00:05.0 igb - fast0 02:00:00:00:00:01 1500 1 -")]
    public void Parse_AnythingElse_IsNone(string text) => Assert.Null(HostCard.Parse(text));

    [Fact]
    public async Task Return_CardIsGone_DoesNothing()
    {
        using var network = TestNetwork.Create();
        HostCard card = Card() with { Device = Address("0000:00:09.0") };
        await card.ReturnAsync(
            _bus, () => NetworkNamespace.Open($"/proc/self/fd/{network.Handle.DangerousGetHandle()}", mountNamespace: null),
            TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Empty(_sysfs.Writes);
    }

    private static HostCard Card()
    {
        var address = new InterfaceAddress { LinkIndex = 3, Local = IPPrefix.Parse("10.8.0.2/24") };
        var route = new Route
        {
            LinkIndex = 3,
            Gateway = IPAddress.Parse("10.8.0.1"),
            Destination = IPPrefix.Parse("0.0.0.0/0"),
            Scope = RouteScope.Universe,
            Protocol = RouteProtocol.Boot,
        };
        var neighbour = new Neighbour
        {
            LinkIndex = 3,
            Address = IPAddress.Parse("10.8.0.9"),
            LinkAddress = LinkAddress.Parse("02:00:00:00:00:09"),
            State = NeighbourState.Permanent,
        };
        return new HostCard(
            Address(Device), "igb", null, 4026531840, "/run/netns/pod",
            new LinkState("fast0", LinkAddress.Parse("02:00:00:00:00:03"), 9000, true, false, 0, [address], [route], [neighbour]));
    }

    private static PciAddress Address(string text) => PciAddress.TryParse(text, out PciAddress? address)
        ? address : throw new ArgumentException(text);
}
