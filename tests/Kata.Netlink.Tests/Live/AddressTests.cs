using System.Net;
using System.Text.Json;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>Addresses of the running kernel, compared with what <c>ip</c> says.</summary>
public sealed class AddressTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();
    private readonly Link _link;

    public AddressTests() => _link = _network.AddPair("v0", "v1");

    private AddressOperations Addresses => _network.Socket.Addresses;

    public void Dispose() => _network.Dispose();

    [Fact]
    public void Add_IPv4_IsAsIpSays()
    {
        var address = new InterfaceAddress
        {
            LinkIndex = _link.Index,
            Local = IPPrefix.Parse("10.0.0.1/24"),
            Broadcast = IPAddress.Parse("10.0.0.255"),
            Label = "v0:a",
            Scope = RouteScope.Link,
            Flags = AddressFlags.NoPrefixRoute,
            ValidLifetime = TimeSpan.FromSeconds(1000),
            PreferredLifetime = TimeSpan.FromSeconds(500),
        };
        Addresses.Add(address);

        JsonElement json = Shown();
        Assert.Equal(("10.0.0.1", 24, "10.0.0.255", "v0:a", "link", true), (
            json.GetProperty("local").GetString(), json.GetProperty("prefixlen").GetInt32(), json.GetProperty("broadcast").GetString(),
            json.GetProperty("label").GetString(), json.GetProperty("scope").GetString(), json.GetProperty("noprefixroute").GetBoolean()));
        Assert.InRange(json.GetProperty("valid_life_time").GetInt32(), 980, 1000);
        InterfaceAddress read = Assert.Single(Addresses.List(IPFamily.IPv4, _link.Index));
        Assert.InRange(read.PreferredLifetime!.Value.TotalSeconds, 480, 500);
        Assert.Equal(address, read with { ValidLifetime = address.ValidLifetime, PreferredLifetime = address.PreferredLifetime });
    }

    [Fact]
    public void Add_WithAPeer_IsAsIpSays()
    {
        Addresses.Add(new InterfaceAddress
        {
            LinkIndex = _link.Index,
            Local = IPPrefix.Parse("10.0.0.1/32"),
            Peer = IPAddress.Parse("10.0.0.2"),
        });
        JsonElement json = Shown();
        Assert.Equal(("10.0.0.1", "10.0.0.2"), (json.GetProperty("local").GetString(), json.GetProperty("address").GetString()));
        Assert.Equal(IPAddress.Parse("10.0.0.2"), Assert.Single(Addresses.List(IPFamily.IPv4, _link.Index)).Peer);
    }

    [Fact]
    public void Add_IPv6WithoutDad_CanBeUsedAtOnce()
    {
        Addresses.Add(new InterfaceAddress { LinkIndex = _link.Index, Local = IPPrefix.Parse("fd00::1/64"), Flags = AddressFlags.NoDad });
        Addresses.Add(new InterfaceAddress { LinkIndex = _link.Index, Local = IPPrefix.Parse("fd00::2/64") });

        AddressFlags first = Find("fd00::1").Flags;
        AddressFlags second = Find("fd00::2").Flags;
        Assert.Equal(AddressFlags.NoDad | AddressFlags.Permanent, first);
        Assert.Equal(AddressFlags.Permanent, second & ~AddressFlags.Tentative);
        using var socket = _network.Inside(static () => new System.Net.Sockets.UdpClient(new IPEndPoint(IPAddress.Parse("fd00::1"), 0)));
    }

    [Fact]
    public void Add_TheSameAgain_IsRefusedAndReplaceIsNot()
    {
        var address = new InterfaceAddress { LinkIndex = _link.Index, Local = IPPrefix.Parse("fd00::1/64"), Flags = AddressFlags.NoDad };
        Addresses.Add(address);
        NetlinkException error = Assert.Throws<NetlinkException>(() => Addresses.Add(address));
        Assert.Equal(NetlinkErrno.EEXIST, error.Errno);
        Assert.StartsWith($"Cannot add the address 'fd00::1/64 of link {_link.Index}': ", error.Message);

        Addresses.Replace(address with { ValidLifetime = TimeSpan.FromSeconds(900), PreferredLifetime = TimeSpan.FromSeconds(800) });
        Assert.InRange(Find("fd00::1").ValidLifetime!.Value.TotalSeconds, 880, 900);
    }

    [Fact]
    public void Delete_OneOfTwo_LeavesTheOther()
    {
        InterfaceAddress first = new() { LinkIndex = _link.Index, Local = IPPrefix.Parse("10.0.0.1/24") };
        Addresses.Add(first);
        Addresses.Add(first with { Local = IPPrefix.Parse("10.1.0.1/24") });
        Addresses.Delete(Find("10.0.0.1"));
        Assert.Equal(IPPrefix.Parse("10.1.0.1/24"), Assert.Single(Addresses.List(IPFamily.IPv4, _link.Index)).Local);
        NetlinkException error = Assert.Throws<NetlinkException>(() => Addresses.Delete(first));
        Assert.Equal(NetlinkErrno.EADDRNOTAVAIL, error.Errno);
    }

    [Fact]
    public void List_AllLinks_HasWhatIpSays()
    {
        _network.Run("ip addr add 10.0.0.1/24 dev v0; ip addr add 10.0.1.1/24 dev v1; ip -6 addr add fd00::1/64 nodad dev v1");
        List<string> expected = [.. _network.Json("ip -json addr show").SelectMany(static link =>
            link.GetProperty("addr_info").EnumerateArray().Select(address =>
                $"{link.GetProperty("ifindex")} {address.GetProperty("local").GetString()}/{address.GetProperty("prefixlen")}"))];
        Assert.True(expected.Count >= 5, "lo and two links have addresses");
        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            Addresses.List().Select(static address => $"{address.LinkIndex} {address.Local}").Order(StringComparer.Ordinal));
    }

    // The only IPv4 address of the link.
    private JsonElement Shown() =>
        Assert.Single(Assert.Single(_network.Json("ip -json -4 addr show dev v0")).GetProperty("addr_info").EnumerateArray());

    private InterfaceAddress Find(string address) =>
        Addresses.List().Single(item => item.Local.Address.Equals(IPAddress.Parse(address)));
}
