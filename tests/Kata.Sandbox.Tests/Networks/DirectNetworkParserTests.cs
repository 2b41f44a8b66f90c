using System.Text;
using Kata.Agent.Protocol;
using Kata.Netlink;
using Kata.Network;
using Kata.Oci;
using Route = Kata.Netlink.Route;

namespace Kata.Sandbox.Tests;

public sealed class DirectNetworkParserTests
{
    private const string Path = "/run/dans/pod.json";

    private const string Whole =
        """
        {
          "netns": "/run/netns/taps",
          "devices": [
            {
              "name": "eth0",
              "guest_mac": "02:00:00:00:00:0A",
              "device": { "type": "vhost-user", "path": "/run/vhost/one.sock", "queue_num": 2, "queue_size": 1024 },
              "network_info": {
                "interface": {
                  "ip_addresses": ["192.168.0.1/24", "fd00::1/64", "127.0.0.1/8"], "mtu": 1450, "ntype": "tuntap", "flags": 128
                },
                "routes": [
                  { "dest": "172.18.0.0/16", "source": "192.168.0.1", "gateway": "192.168.0.254", "scope": 0, "flags": 4, "mtu": 1400 },
                  { "dest": "10.0.0.0/8", "scope": 253 },
                  { "gateway": "fd00::ff" }
                ],
                "neighbors": [
                  { "ip_address": "192.168.0.3/16", "device": "", "state": 0, "flags": 128, "hardware_addr": "02:00:00:00:00:03" }
                ]
              }
            },
            {
              "name": "data",
              "guest_mac": "02:00:00:00:00:0b",
              "device": { "type": "host-tap", "tap_name": "tap7" },
              "network_info": { "interface": { "ip_addresses": [] } }
            }
          ]
        }
        """;

    [Fact]
    public void Parse_WholeFile_HasCardsAndTheirBackEnds()
    {
        DirectNetwork network = Parse(Whole);

        Assert.Equal(("/run/netns/taps", Path), (network.Namespace, network.Path));
        Assert.Equal(
            [
                new DirectCard(
                    new EndpointPlan(2, "eth0", LinkAddress.Parse("02:00:00:00:00:0a"), 1450),
                    new VhostUserBackend("/run/vhost/one.sock", 2, 1024)),
                new DirectCard(
                    new EndpointPlan(3, "data", LinkAddress.Parse("02:00:00:00:00:0b"), 1500), new TapBackend("tap7", 1, 256)),
            ],
            network.Cards);
    }

    [Fact]
    public void Parse_WholeFile_IsANetworkAsTheKernelHasOne()
    {
        HostNetwork network = Parse(Whole).Network;

        Assert.Equal(
            [(2, "192.168.0.1/24"), (2, "fd00::1/64"), (2, "fe80::ff:fe00:a/64"), (3, "fe80::ff:fe00:b/64")],
            network.Addresses.Select(static item => (item.LinkIndex, item.Local.ToString())));
        Assert.Equal([1, 2, 3], network.Links.Select(static link => link.Index));
        Assert.True(network.Links[1].Flags.HasFlag(LinkFlags.NoArp));
        Assert.False(network.Links[2].Flags.HasFlag(LinkFlags.NoArp));
        Assert.Equal(
            [
                new Route
                {
                    Destination = IPPrefix.Parse("172.18.0.0/16"), LinkIndex = 2, Gateway = System.Net.IPAddress.Parse("192.168.0.254"),
                    PreferredSource = System.Net.IPAddress.Parse("192.168.0.1"), Protocol = RouteProtocol.Static, Flags = RouteFlags.Onlink,
                    Metrics = new RouteMetrics { Mtu = 1400 },
                },
                new Route
                {
                    Destination = IPPrefix.Parse("10.0.0.0/8"), LinkIndex = 2, Scope = RouteScope.Link, Protocol = RouteProtocol.Static,
                },
                new Route
                {
                    Destination = IPPrefix.AnyIPv6, LinkIndex = 2, Gateway = System.Net.IPAddress.Parse("fd00::ff"),
                    Protocol = RouteProtocol.Static,
                },
            ],
            network.Routes);
        Neighbour neighbour = Assert.Single(network.Neighbours);
        Assert.Equal(("192.168.0.3", NeighbourFlags.Router), (neighbour.Address.ToString(), neighbour.Flags));
        Assert.Equal(NeighbourState.Permanent, neighbour.State);
    }

    // By both ways of telling a guest.
    [Fact]
    public void Parse_WholeFile_IsAllToldToTheGuest()
    {
        DirectNetwork direct = Parse(Whole);
        EndpointPlan[] cards = [.. direct.Cards.Select(static card => card.Plan)];
        NetworkState state = NetworkState.Of(direct.Network, cards);
        GuestNetwork guest = GuestNetwork.Of(direct.Network, cards);

        Assert.Equal(["", "eth0", "data"], state.Interfaces.Select(static item => item.Name));
        Assert.Equal(["", "02:00:00:00:00:0a", "02:00:00:00:00:0b"], state.Interfaces.Select(static item => item.HardwareAddress));
        Assert.DoesNotContain(state.Interfaces.Skip(1), static item => item.NoLinkLocal);
        Assert.Equal((4, 3, 1), (state.Addresses.Count, state.Routes.Count, state.Neighbours.Count));
        Interface first = guest.Interfaces[0];
        Assert.Equal(("eth0", "02:00:00:00:00:0a", 1450UL, 128u), (first.Name, first.HwAddr, first.Mtu, first.RawFlags));
        Assert.Equal(["172.18.0.0/16", "10.0.0.0/8", ""], guest.Routes.Select(static route => route.Dest));
        Assert.Equal("02:00:00:00:00:03", Assert.Single(guest.Neighbours).Lladdr);
        Assert.NotEmpty(NetworkDifference.Between(NetworkState.Initial, NetworkState.Initial, state));
    }

    [Fact]
    public void Parse_CardWithoutAddress_HasTheSameOfItsOwnEachTime()
    {
        LinkAddress first = Parse(Of(Device(mac: ""))).Cards[0].Plan.Address;
        LinkAddress other = Parse(Of(Device("eth1", mac: ""))).Cards[0].Plan.Address;

        Assert.Equal(first, Parse(Of(Device(mac: ""))).Cards[0].Plan.Address);
        Assert.NotEqual(first, other);
        Assert.Equal(2, first.Bytes[0] & 3);
        Assert.NotEqual(
            first, DirectNetworkParser.Parse(Encoding.UTF8.GetBytes(Of(Device(mac: ""))), "/run/dans/other.json").Cards[0].Plan.Address);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("256")]
    public void Parse_SmallQueue_IsOneThatServes(string size) => Assert.Equal(
        new VhostUserBackend("/s", 1, 256),
        Parse(Of(Device(backend: $$"""{"type":"vhost-user","path":"/s","queue_num":0,"queue_size":{{size}}}"""))).Cards[0].Backend);

    [Theory]
    [InlineData("""{"devices":[]}""")]
    [InlineData("""{"netns":null,"devices":[],"unknown":{"a":[1]}}""")]
    [InlineData("""{"netns":"","devices":[]}""")]
    public void Parse_NoDevice_IsANetworkWithoutCards(string json)
    {
        DirectNetwork network = Parse(json);
        Assert.Empty(network.Cards);
        Assert.Null(network.Namespace);
    }

    [Fact]
    public void Parse_NullsOfListsAndTexts_AreAsLeftOut() => Assert.Empty(Parse(
        """
        {"devices":[{"name":"eth0","guest_mac":null,"device":{"type":"vhost-user","path":"/s"},
        "network_info":{"interface":{"ip_addresses":[],"mtu":null,"flags":null},"routes":null,"neighbors":null}}]}
        """).Network.Routes);

    [Theory]
    [InlineData("", "", "It must be a JSON object")]
    [InlineData("[]", "", "It must be an object")]
    [InlineData("{}", "/devices", "It must be an array")]
    [InlineData("""{"devices":[null]}""", "/devices/0", "It must be an object")]
    [InlineData("""{"netns":"x","devices":[]}""", "/netns", "It must be an absolute path")]
    public void Parse_OtherThanAFile_NamesThePlace(string json, string field, string remedy) => AssertRefused(json, field, remedy);

    [Theory]
    [InlineData("")]
    [InlineData("lo")]
    [InlineData("a/b")]
    [InlineData("a name")]
    [InlineData("sixteen-letters-")]
    [InlineData("..")]
    public void Parse_NameOfNoInterface_SaysWhatOneIs(string name) =>
        AssertRefused(Of(Device(name)), "/devices/0/name", "up to 15 letters");

    [Theory]
    [InlineData("xx:xx:xx:xx:xx")]
    [InlineData("02:00:00:00:00")]
    [InlineData("03:00:00:00:00:01")]
    [InlineData("00:00:00:00:00:00")]
    public void Parse_AddressOfNoCard_SaysWhatOneIs(string mac) =>
        AssertRefused(Of(Device(mac: mac)), "/devices/0/guest_mac", "like 02:00:00:00:00:01");

    [Theory]
    [InlineData("""{"type":"vfio","pci_device_id":"0000:01:00.0"}""", "/type", "It must be 'vhost-user' or 'host-tap'")]
    [InlineData("""{"path":"/s"}""", "/type", "It must be a string")]
    [InlineData("""{"type":"vhost-user"}""", "/path", "It must be an absolute path")]
    [InlineData("""{"type":"vhost-user","path":"s"}""", "/path", "It must be an absolute path")]
    [InlineData("""{"type":"vhost-user","path":"/s\u0000"}""", "/path", "It must be an absolute path")]
    [InlineData("""{"type":"vhost-user","path":"/s/"}""", "/path", "It must be an absolute path")]
    [InlineData("""{"type":"vhost-user","path":"/s","queue_num":257}""", "/queue_num", "It must be a whole number up to 256")]
    [InlineData("""{"type":"vhost-user","path":"/s","queue_num":-1}""", "/queue_num", "It must be a whole number from 0")]
    [InlineData("""{"type":"vhost-user","path":"/s","queue_size":300}""", "/queue_size", "It must be a power of two up to 1024")]
    [InlineData("""{"type":"vhost-user","path":"/s","queue_size":2048}""", "/queue_size", "It must be a power of two up to 1024")]
    [InlineData("""{"type":"host-tap"}""", "/tap_name", "It must be an interface's name")]
    public void Parse_BackEndThatCannotBe_NamesTheField(string backend, string field, string remedy) =>
        AssertRefused(Of(Device(backend: backend)), "/devices/0/device" + field, remedy);

    [Theory]
    [InlineData("""{"interface":{}}""", "/interface/ip_addresses", "It must be an array")]
    [InlineData("""{"interface":{"ip_addresses":["10.0.0.1"]}}""", "/interface/ip_addresses/0", "like 10.0.0.2/24")]
    [InlineData("""{"interface":{"ip_addresses":["10.0.0.1/24","0.0.0.0/0"]}}""", "/interface/ip_addresses/1", "like 10.0.0.2/24")]
    [InlineData("""{"interface":{"ip_addresses":[],"mtu":67}}""", "/interface/mtu", "It must be a whole number from 68 to 65521")]
    [InlineData("""{"interface":{"ip_addresses":[],"mtu":65522}}""", "/interface/mtu", "It must be a whole number from 68 to 65521")]
    [InlineData("""{"interface":{"ip_addresses":[]},"routes":[{}]}""", "/routes/0", "Give 'gateway' for a default route")]
    [InlineData("""{"interface":{"ip_addresses":[]},"routes":[{"dest":"x"}]}""", "/routes/0/dest", "like 10.1.0.0/16")]
    [InlineData("""{"interface":{"ip_addresses":[]},"routes":[{"dest":"10.0.0.1/8"}]}""", "/routes/0/dest", "Leave them zero")]
    [InlineData("""{"interface":{"ip_addresses":[]},"routes":[{"gateway":"x"}]}""", "/routes/0/gateway", "like 10.0.0.1")]
    [InlineData("""{"interface":{"ip_addresses":[]},"routes":[{"gateway":"::1","source":"1.2.3.4"}]}""", "/routes/0", "Use one of them")]
    [InlineData("""{"interface":{"ip_addresses":[]},"routes":[{"dest":"::/0","scope":256}]}""", "/routes/0/scope", "up to 255")]
    [InlineData("""{"interface":{"ip_addresses":[]},"neighbors":[{}]}""", "/neighbors/0/ip_address", "like 10.0.0.1")]
    [InlineData(
        """{"interface":{"ip_addresses":[]},"neighbors":[{"ip_address":"10.0.0.1"}]}""", "/neighbors/0/hardware_addr",
        "like 02:00:00:00:00:01")]
    public void Parse_NetworkThatCannotBe_NamesTheField(string info, string field, string remedy) =>
        AssertRefused(Of(Device(info: info)), "/devices/0/network_info" + field, remedy);

    [Theory]
    [InlineData("eth0", "02:00:00:00:00:02", "name")]
    [InlineData("eth1", "02:00:00:00:00:01", "guest_mac")]
    public void Parse_TwoOfOneNameOrAddress_NamesTheSecond(string name, string mac, string field) =>
        AssertRefused(Of(Device(), Device(name, mac)), $"/devices/1/{field}", "Give each device");

    [Fact]
    public void Parse_PathLongerThanASocketsMayBe_SaysHowLong() => AssertRefused(
        Of(Device(backend: $$"""{"type":"vhost-user","path":"/{{new string('s', 107)}}"}""")), "/devices/0/device/path", "107 bytes");

    private static string Device(
        string name = "eth0", string mac = "02:00:00:00:00:01", string backend = """{"type":"vhost-user","path":"/s"}""",
        string info = """{"interface":{"ip_addresses":["10.0.0.2/24"]}}""") =>
        $$"""{"name":"{{name}}","guest_mac":"{{mac}}","device":{{backend}},"network_info":{{info}}}""";

    private static string Of(params string[] devices) => $$"""{"devices":[{{string.Join(',', devices)}}]}""";

    private static DirectNetwork Parse(string json) => DirectNetworkParser.Parse(Encoding.UTF8.GetBytes(json), Path);

    private static void AssertRefused(string json, string field, string remedy)
    {
        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => Parse(json));
        Assert.Equal(field, error.Field);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }
}
