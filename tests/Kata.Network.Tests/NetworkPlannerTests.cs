using Kata.Linux;
using Kata.Netlink;

namespace Kata.Network.Tests;

/// <summary>Which interfaces of a namespace are cards of its guest.</summary>
public sealed class NetworkPlannerTests
{
    private const ushort Ethernet = 1, Tunnel = 65534, Infiniband = 32; // ARPHRD_, linux/if_arp.h

    private static readonly Link s_eth0 = LinkOf(2, "eth0", new VethKind());

    [Fact]
    public void Plan_Interface_IsACardWithItsNameAddressAndSize()
    {
        EndpointPlan plan = Assert.Single(Plan([s_eth0 with { Mtu = 9000 }]));
        Assert.Equal(new EndpointPlan(2, "eth0", LinkAddress.Parse("02:00:00:00:00:02"), 9000), plan);
    }

    [Theory]
    [InlineData(65_521u, 65_521u)]
    [InlineData(65_522u, 65_521u)]
    [InlineData(uint.MaxValue, 65_521u)]
    public void Plan_MtuOfMoreThanATapTakes_IsATapsWithAWord(uint mtu, uint planned)
    {
        IReadOnlyList<EndpointPlan> plans = NetworkPlanner.Plan(
            new HostNetwork([s_eth0 with { Mtu = mtu }], [], [], [], []), out IReadOnlyList<string> refused);
        Assert.Equal(planned, Assert.Single(plans).Mtu);
        Assert.Equal(
            mtu == planned ? [] : [$"The interface 'eth0' has an MTU of 65521 in the guest, not of {mtu}: no tap takes more"], refused);
    }

    [Fact]
    public void Plan_CardOfTheHost_IsTheDeviceWithItsOwnSize()
    {
        Assert.True(PciAddress.TryParse("0000:3b:00.1", out PciAddress? device));
        IReadOnlyList<EndpointPlan> plans = NetworkPlanner.Plan(
            new HostNetwork([s_eth0 with { Mtu = 65_535, Kind = null }], [], [], [], []), out IReadOnlyList<string> refused,
            EndpointModel.TcFilter, new Dictionary<int, PciAddress> { [2] = device });
        Assert.Equal((device, 65_535u), (Assert.Single(plans).Device, plans[0].Mtu));
        Assert.Empty(refused);
    }

    [Fact]
    public void OfLink_AmongOthers_IsItsOwnUnderTheOtherNumber()
    {
        var address = new InterfaceAddress { LinkIndex = 2, Local = IPPrefix.Parse("10.0.0.2/24") };
        var route = new Route { LinkIndex = 2, Destination = IPPrefix.Parse("0.0.0.0/0") };
        var network = new HostNetwork(
            [s_eth0, LinkOf(3, "eth1", new VethKind())], [address, address with { LinkIndex = 3 }],
            [route, route with { LinkIndex = 3 }, route with { LinkIndex = null }], [], []);

        HostNetwork gone = network.OfLink(2, 99);
        Assert.Equal(("eth0", 99), (Assert.Single(gone.Links).Name, gone.Links[0].Index));
        Assert.Equal((99, 99), (Assert.Single(gone.Addresses).LinkIndex, Assert.Single(gone.Routes).LinkIndex));
        Assert.Equal([2, 3, 99], network.With([gone]).Links.Select(static link => link.Index));
    }

    [Fact]
    public void Plan_Nothing_IsNothing() => Assert.Empty(Plan([]));

    public static TheoryData<string> Left => [.. s_left.Keys];

    private static readonly Dictionary<string, Link> s_left = new(StringComparer.Ordinal)
    {
        ["loopback"] = LinkOf(1, "lo", null) with { Flags = LinkFlags.Up | LinkFlags.Loopback, HardwareType = 772 },
        ["tap of ours"] = LinkOf(9, "tap2_kata", new TunKind { IsTap = true }),
        ["tap of ours, of a high number"] = LinkOf(9, Tap.NameOf(int.MaxValue), new TunKind { IsTap = true }),
        ["port of a bond"] = s_eth0 with { Flags = LinkFlags.Up | LinkFlags.Port, PortKind = "bond", Controller = 5 },
        ["port of a bridge"] = s_eth0 with { PortKind = "bridge", Controller = 5 },
        ["port of a team"] = s_eth0 with { PortKind = "team", Controller = 5 },
        ["down, without addresses"] = s_eth0 with { Flags = LinkFlags.Broadcast },
        ["tunnel that the kernel makes by itself"] = LinkOf(3, "sit0", new OtherKind("sit")) with
        {
            Flags = LinkFlags.NoArp,
            HardwareType = 776,
        },
    };

    [Theory]
    [MemberData(nameof(Left))]
    public void Plan_NobodysInterface_IsLeftWithoutAWord(string what) => Assert.Empty(Plan([s_left[what]]));

    [Theory]
    [InlineData("bridge")]
    [InlineData("bond")]
    [InlineData("macvlan")]
    [InlineData("dummy")]
    [InlineData("ipvlan")]
    [InlineData(null)] // hardware
    public void Plan_KindOfEthernet_IsACard(string? kind) =>
        Assert.Equal("eth0", Assert.Single(Plan([s_eth0 with { Kind = kind is null ? null : new OtherKind(kind) }])).Name);

    [Fact]
    public void Plan_Macvlan_IsACard() => Assert.Single(Plan([s_eth0 with { Kind = new MacvlanKind() }]));

    [Fact]
    public void Plan_StackedOnALinkWithoutAddresses_IsACardInItsPlace()
    {
        Link upper = LinkOf(3, "eth0.7", new MacvlanKind()) with { Parent = 2 };
        Assert.Equal("eth0.7", Assert.Single(Plan([s_eth0, upper])).Name);
    }

    [Fact]
    public void Plan_StackedOnACard_IsRefused()
    {
        Link upper = LinkOf(3, "mac0", new MacvlanKind()) with { Parent = 2 };
        var address = new InterfaceAddress { LinkIndex = 2, Local = IPPrefix.Parse("10.0.0.2/24") };
        IReadOnlyList<EndpointPlan> plans = NetworkPlanner.Plan(
            new HostNetwork([s_eth0, upper], [address], [], [], []), out IReadOnlyList<string> refused);

        Assert.Equal("eth0", Assert.Single(plans).Name);
        Assert.Contains("'mac0' is not in the guest: it lies on 'eth0'", Assert.Single(refused), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_MacvtapOfOursOnALinkWithoutAddresses_LeavesItACard()
    {
        Link ours = LinkOf(9, "tap2_kata", new MacvlanKind(isTap: true)) with { Parent = 2 };
        Assert.Equal("eth0", Assert.Single(Plan([s_eth0, ours])).Name);
    }

    // A macvtap cannot be up before its link is, and over a macvlan it would be over the macvlan's link.
    [Fact]
    public void Plan_ModelMacvtap_LeavesDownLinksForLaterAndRefusesMacvlans()
    {
        Link down = LinkOf(3, "net1", new VethKind()) with { Flags = LinkFlags.Broadcast };
        Link macvlan = LinkOf(4, "net2", new MacvlanKind()) with { Parent = 2, ParentNamespaceId = 0 };
        var address = new InterfaceAddress { LinkIndex = 3, Local = IPPrefix.Parse("10.0.0.2/24") };
        IReadOnlyList<EndpointPlan> plans = NetworkPlanner.Plan(
            new HostNetwork([s_eth0, down, macvlan], [address], [], [], []), out IReadOnlyList<string> refused, EndpointModel.Macvtap);
        Assert.Equal("eth0", Assert.Single(plans).Name);
        Assert.Equal(
            "The interface 'net2' is not in the guest: no macvtap can be over a macvlan. Use the model 'tcfilter'",
            Assert.Single(refused));
    }

    [Fact]
    public void Plan_MacvlanOfALinkElsewhere_IsACard() => // its parent has the number of another link here
        Assert.Equal(2, Plan([s_eth0, LinkOf(3, "net1", new MacvlanKind()) with { Parent = 2, ParentNamespaceId = 0 }]).Count);

    [Fact]
    public void Plan_PortOfAVrf_IsACard() =>
        Assert.Single(Plan([s_eth0 with { PortKind = "vrf", Controller = 5 }]));

    // An engine may still be about to set it up.
    [Fact]
    public void Plan_DownWithAnAddress_IsACard()
    {
        var address = new InterfaceAddress { LinkIndex = 2, Local = IPPrefix.Parse("10.0.0.2/24") };
        Assert.Single(Plan([s_eth0 with { Flags = LinkFlags.Broadcast }], address));
        Assert.Empty(Plan([s_eth0 with { Flags = LinkFlags.Broadcast }], address with { LinkIndex = 3 }));
    }

    [Fact]
    public void RefusalOf_IsThatOfTheWholeName()
    {
        string[] refused = [NetworkPlanner.Refuse("tun10", "it is none. Use another"), "The interface 'tun1' has an MTU of 1 in the guest"];
        Assert.Equal("it is none. Use another", NetworkPlanner.RefusalOf("tun10", refused));
        Assert.Null(NetworkPlanner.RefusalOf("tun1", refused));
    }

    [Fact]
    public void Plan_Several_AreInTheOrderOfTheirNumbers()
    {
        Link[] links = [LinkOf(2, "net2", null), LinkOf(3, "lo0", null), LinkOf(7, "eth0", null)];
        Assert.Equal(["net2", "lo0", "eth0"], Plan(links).Select(static plan => plan.Name));
    }

    public static TheoryData<string, ushort, string, string> Refused => new()
    {
        { "tun", Tunnel, "", "it is a tun without Ethernet frames" },
        {
            "wireguard", Tunnel, "",
            "it is a wireguard without Ethernet frames, and a guest's card carries nothing else. Make it inside of the container, "
                + "or use an interface with them, as a veth, macvlan, VLAN, bridge or a card of the host"
        },
        { "", Infiniband, "80:00:00:48:fe:80:00:00:00:00:00:00:00:02:c9:03:00:1f:5e:a1", "it is a device without Ethernet frames" },
        { "ipip", 768, "0a:00:00:01", "it is a ipip without Ethernet frames" },
        { "odd", Ethernet, "", "it is a odd without Ethernet frames" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Plan_WithoutEthernet_IsRefusedWithWhatToDo(string kind, ushort hardware, string address, string reason)
    {
        Link link = s_eth0 with
        {
            Name = "x0",
            Kind = kind.Length == 0 ? null : new OtherKind(kind),
            HardwareType = hardware,
            Address = address.Length == 0 ? default : LinkAddress.Parse(address),
        };
        Assert.StartsWith($"The interface 'x0' is not in the guest: {reason}", Refusal(link));
    }

    [Fact]
    public void Plan_Macvtap_IsRefusedWithWhatToDo() => Assert.Equal(
        "The interface 'eth0' is not in the guest: a macvtap gives its frames to whoever opens it. Use a macvlan",
        Refusal(s_eth0 with { Kind = new MacvlanKind(isTap: true) }));

    [Fact]
    public void Plan_OneIsRefused_OthersAreCards()
    {
        IReadOnlyList<EndpointPlan> plans = NetworkPlanner.Plan(
            NetworkOf([LinkOf(2, "wg0", new OtherKind("wireguard")) with { HardwareType = Tunnel }, LinkOf(3, "eth0", null)]),
            out IReadOnlyList<string> refused);
        Assert.Equal("eth0", Assert.Single(plans).Name);
        Assert.Single(refused);
    }

    [Fact]
    public void IsSameCard_NameAndSizeDiffer_IsTheSame()
    {
        var plan = new EndpointPlan(2, "eth0", LinkAddress.Parse("02:00:00:00:00:02"), 1500);
        Assert.True(plan.IsSameCard(plan with { Name = "net1", Mtu = 9000 }));
        Assert.False(plan.IsSameCard(plan with { LinkIndex = 3 }));
        Assert.False(plan.IsSameCard(plan with { Address = LinkAddress.Parse("02:00:00:00:00:03") }));
    }

    [Theory]
    [InlineData(2, "tap2_kata")]
    [InlineData(9_999_999, "tap9999999_kata")]
    public void NameOf_Link_IsKatas(int link, string name) => Assert.Equal(name, Tap.NameOf(link));

    // A host that has made very many interfaces counts that far.
    [Theory]
    [InlineData(10_000_000)]
    [InlineData(int.MaxValue)]
    public void NameOf_LinkOfAHighNumber_StaysWithinTheKernelsLimit(int link)
    {
        Assert.InRange(Tap.NameOf(link).Length, 1, 15);
        Assert.NotEqual(Tap.NameOf(link), Tap.NameOf(link - 1));
        Assert.EndsWith(Tap.NameSuffix, Tap.NameOf(link));
    }

    private static IReadOnlyList<EndpointPlan> Plan(Link[] links, params InterfaceAddress[] addresses)
    {
        IReadOnlyList<EndpointPlan> plans = NetworkPlanner.Plan(NetworkOf(links, addresses), out IReadOnlyList<string> refused);
        Assert.Empty(refused);
        return plans;
    }

    private static string Refusal(Link link)
    {
        Assert.Empty(NetworkPlanner.Plan(NetworkOf([link]), out IReadOnlyList<string> refused));
        return Assert.Single(refused);
    }

    private static HostNetwork NetworkOf(Link[] links, params InterfaceAddress[] addresses) => new(links, addresses, [], [], []);

    private static Link LinkOf(int index, string name, LinkKind? kind) => new()
    {
        Index = index,
        Name = name,
        Kind = kind,
        HardwareType = Ethernet,
        Address = new LinkAddress([2, 0, 0, 0, 0, (byte)index]),
        Flags = LinkFlags.Up | LinkFlags.Broadcast,
        Mtu = 1500,
    };
}
