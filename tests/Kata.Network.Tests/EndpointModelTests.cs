using System.Net;
using System.Net.Sockets;
using Kata.Netlink;
using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>The models besides the filters, in the running kernel: a macvtap over the interface, and nothing.</summary>
public sealed class EndpointModelTests : IDisposable
{
    private static readonly EndpointOptions s_macvtap = new() { Model = EndpointModel.Macvtap };
    private static readonly EndpointOptions s_none = new() { Model = EndpointModel.None };

    private readonly Pod _pod = new();

    public void Dispose() => _pod.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Macvtap_Frames_GoBetweenTheCardAndThePeer(int queues)
    {
        RequireMacvtap();
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues, s_macvtap);
        using var card = new OpenCard(tap);
        await Traffic.TalkBesideOwnStackAsync(_pod, card.Card);
    }

    [Fact]
    public void Macvtap_Link_HasAddressAndSizeOfItsInterfaceAndIsSilent()
    {
        RequireMacvtap();
        EndpointPlan plan = _pod.Plan;
        using Tap tap = Endpoint.Attach(_pod.Space, plan, queues: 1, s_macvtap);
        Link link = _pod.Network.Socket.Links.Get(Tap.NameOf(plan.LinkIndex));
        Assert.Equal((tap.Index, plan.Mtu, plan.Address), (link.Index, link.Mtu, link.Address));
        Assert.True(link.Flags.HasFlag(LinkFlags.Up | LinkFlags.AllMulticast));
        Assert.Empty(_pod.Network.Socket.Addresses.List(linkIndex: tap.Index));
        _pod.Network.Socket.Links.Change(plan.LinkIndex, new LinkSettings { Mtu = 9000 });
        Endpoint.Resize(_pod.Space, tap.Index, plan with { Mtu = 9000 });
        Assert.Equal(9000u, _pod.Network.Socket.Links.Get(tap.Index).Mtu);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("tc qdisc add dev eth0 clsact")]
    [InlineData("tc qdisc add dev eth0 root handle 7: tbf rate 1mbit burst 32kbit limit 64kb")]
    [InlineData("ip link set eth0 multicast off promisc on")]
    public async Task Macvtap_Detach_LeavesTheNamespaceAsItWas(string before)
    {
        RequireMacvtap();
        _pod.Network.Run(before);
        string expected = State();
        Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_macvtap);
        Assert.NotEqual(expected, State());
        tap.Dispose();
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);
        Assert.Equal(expected, State());
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex); // once more does nothing
        Assert.Equal(expected, State());
        await AssertOwnStackHearsAsync();
    }

    [Fact]
    public async Task Macvtap_Detach_WhileItIsOpen_GivesTheInterfaceBack()
    {
        RequireMacvtap();
        string expected = State();
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 2, s_macvtap);
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);
        Assert.Equal(expected, State());
        await AssertOwnStackHearsAsync();
    }

    [Fact]
    public async Task Macvtap_SendRate_HoldsAndSoDoesTheInterfacesOwn()
    {
        RequireMacvtap();
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_macvtap with { SendRate = 200_000 });
        using var card = new OpenCard(tap);
        Assert.InRange(await Traffic.SendAsync(_pod, card.Card), TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(1.1));
        _pod.Network.Run("tc qdisc add dev eth0 root tbf rate 800kbit burst 20kb limit 400kb");
        Assert.InRange(await Traffic.SendAsync(_pod, card.Card), TimeSpan.FromSeconds(1.1), TimeSpan.FromSeconds(10));
    }

    // Also after its guest was killed: nobody can tell, and whoever removes that pod takes it away.
    [Fact]
    public async Task Macvtap_InterfaceIsInAnotherGuest_IsRefusedAndThatOneGoesOn()
    {
        RequireMacvtap();
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_macvtap);
        NetworkException error = Assert.Throws<NetworkException>(
            () => Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_macvtap));
        Assert.EndsWith("Give each pod a network namespace of its own", error.Message);
        using var card = new OpenCard(tap);
        await Traffic.TalkBesideOwnStackAsync(_pod, card.Card);
    }

    [Fact]
    public void Macvtap_SomethingElseLiesOnTheInterface_IsRefusedAndLeavesNothing()
    {
        RequireMacvtap();
        EndpointPlan plan = _pod.Plan;
        _pod.Network.Run("ip link add link eth0 name other0 type macvlan mode bridge");
        string expected = State();
        NetworkException error = Assert.Throws<NetworkException>(() => Endpoint.Attach(_pod.Space, plan, queues: 1, s_macvtap));
        Assert.StartsWith($"Cannot give the interface 'eth0' of '{_pod.Space.Path}' to the guest: ", error.Message);
        Assert.Equal(expected, State());
    }

    [Fact]
    public void Macvtap_LinkIsGone_NothingIsLeft()
    {
        RequireMacvtap();
        EndpointPlan plan = _pod.Plan;
        using Tap tap = Endpoint.Attach(_pod.Space, plan, queues: 1, s_macvtap);
        _pod.Network.Socket.Links.Delete(plan.LinkIndex);
        Endpoint.Detach(_pod.Space, plan.LinkIndex);
        Assert.Equal(["lo"], _pod.Links);
    }

    [Fact]
    public async Task None_Card_IsConnectedWithNothing()
    {
        string expected = _pod.Network.Run("tc qdisc show dev eth0; tc filter show dev eth0 ingress");
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_none);
        Link link = _pod.Network.Socket.Links.Get(Tap.NameOf(_pod.Plan.LinkIndex));
        Assert.True(link.Flags.HasFlag(LinkFlags.Up));
        Assert.Equal(expected, _pod.Network.Run("tc qdisc show dev eth0; tc filter show dev eth0 ingress"));
        await AssertOwnStackHearsAsync();
        tap.Dispose();
        Assert.Equal(["lo", "eth0"], _pod.Links);
    }

    private string State() => _pod.TrafficControl + _pod.Network.Run("ip -d link show dev eth0; ls -d /proc/sys/net/ipv4/conf/*");

    private void RequireMacvtap()
    {
        Link probe = _pod.Network.Add(new LinkSettings
        {
            Name = "probe0",
            Parent = _pod.Plan.LinkIndex,
            Kind = new MacvlanKind(isTap: true) { Mode = MacvlanMode.Passthru },
        });
        _pod.Network.Socket.Links.Delete(probe.Index);
    }

    private async Task AssertOwnStackHearsAsync()
    {
        using UdpClient own = _pod.Network.Inside(static () => new UdpClient(new IPEndPoint(IPAddress.Any, 4711)));
        using UdpClient peer = _pod.Peer.Inside(static () => new UdpClient(0));
        peer.Send("yes"u8.ToArray(), Pod.Address, 4711);
        Assert.Equal("yes"u8.ToArray(), (await own.ReceiveAsync().Within()).Buffer);
    }
}
