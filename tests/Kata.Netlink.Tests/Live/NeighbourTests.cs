using System.Net;
using System.Text.Json;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>Neighbours of the running kernel, compared with what <c>ip</c> says.</summary>
public sealed class NeighbourTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();
    private readonly Neighbour _neighbour;

    public NeighbourTests() => _neighbour = new Neighbour
    {
        LinkIndex = _network.AddPair("v0", "v1").Index,
        Address = IPAddress.Parse("10.0.0.7"),
        LinkAddress = LinkAddress.Parse("02:00:00:00:00:07"),
    };

    private NeighbourOperations Neighbours => _network.Socket.Neighbours;

    public void Dispose() => _network.Dispose();

    [Theory]
    [InlineData("10.0.0.7")]
    [InlineData("fd00::7")]
    public void Add_Permanent_IsAsIpSaysAndIsReadAgain(string address)
    {
        Neighbour neighbour = _neighbour with { Address = IPAddress.Parse(address), Flags = NeighbourFlags.Router };
        Neighbours.Add(neighbour);
        JsonElement json = Assert.Single(_network.Json($"ip -json neigh show {address} dev v0"));
        Assert.Equal(("02:00:00:00:00:07", "[\"PERMANENT\"]"), (
            json.GetProperty("lladdr").GetString(), json.GetProperty("state").GetRawText()));
        Neighbour read = Assert.Single(Neighbours.List(linkIndex: neighbour.LinkIndex), item => item.Address.Equals(neighbour.Address));
        Assert.Equal(neighbour, read with { Type = RouteType.Unspecified, Protocol = null });
    }

    [Fact]
    public void Replace_Neighbour_HasAnotherAddress()
    {
        Neighbours.Add(_neighbour);
        Assert.Equal(NetlinkErrno.EEXIST, Assert.Throws<NetlinkException>(() => Neighbours.Add(_neighbour)).Errno);
        var address = LinkAddress.Parse("02:00:00:00:00:08");
        Neighbours.Replace(_neighbour with { LinkAddress = address, State = NeighbourState.Reachable });
        Neighbour read = Assert.Single(Neighbours.List(IPFamily.IPv4, _neighbour.LinkIndex));
        Assert.Equal((address, NeighbourState.Reachable), (read.LinkAddress, read.State));
    }

    [Fact]
    public void Delete_Neighbour_IsGone()
    {
        Neighbours.Add(_neighbour);
        Neighbours.Delete(_neighbour);
        Assert.DoesNotContain(Neighbours.List(IPFamily.IPv4, _neighbour.LinkIndex), static item => item.State == NeighbourState.Permanent);
        Neighbour never = _neighbour with { Address = IPAddress.Parse("10.0.0.99") };
        NetlinkException error = Assert.Throws<NetlinkException>(() => Neighbours.Delete(never));
        Assert.Equal(NetlinkErrno.ENOENT, error.Errno);
        Assert.StartsWith($"Cannot delete the neighbour '10.0.0.99 of link {_neighbour.LinkIndex}': ", error.Message);
    }

    [Fact]
    public void ListProxies_Proxy_IsThereAndNotAmongTheOthers()
    {
        var proxy = new Neighbour
        {
            LinkIndex = _neighbour.LinkIndex,
            Address = IPAddress.Parse("10.0.0.8"),
            Flags = NeighbourFlags.Proxy,
            State = NeighbourState.None,
        };
        Neighbours.Add(proxy);
        Assert.Equal("10.0.0.8", Assert.Single(_network.Json("ip -json neigh show proxy")).GetProperty("dst").GetString());
        Assert.Equal(proxy.Address, Assert.Single(Neighbours.ListProxies()).Address);
        Assert.Empty(Neighbours.List(IPFamily.IPv4, _neighbour.LinkIndex));
        Neighbours.Delete(proxy);
        Assert.Empty(Neighbours.ListProxies());
    }
}
