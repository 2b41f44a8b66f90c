using System.Net;
using System.Net.Sockets;
using Kata.Linux;
using Kata.Netlink;
using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>Taps beside interfaces, in the running kernel.</summary>
[Collection(nameof(ProcessGroup))]
public sealed class EndpointTests : IDisposable
{
    private const int Port = 4711, DroppedPort = 4712;

    private readonly Pod _pod = new();

    public void Dispose() => _pod.Dispose();

    [Fact]
    public void Attach_Interface_HasATapOfItsSizeThatIsUpAndSilent()
    {
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1);
        Link link = _pod.Network.Socket.Links.Get(Tap.NameOf(_pod.Plan.LinkIndex));
        Assert.Equal((tap.Index, 1400u), (link.Index, link.Mtu));
        Assert.True(link.Flags.HasFlag(LinkFlags.Up));
        var kind = Assert.IsType<TunKind>(link.Kind);
        Assert.Equal((true, true, false), (kind.IsTap, kind.HasVirtioHeader, kind.IsPersistent));
        Assert.Empty(_pod.Network.Socket.Addresses.List(linkIndex: tap.Index)); // not even one of IPv6
    }

    // The namespace has the address itself: it is the guest that is asked all the same, and nobody else answers.
    [Theory]
    [InlineData("", 1)]
    [InlineData("tc qdisc add dev eth0 ingress", 1)]
    [InlineData("tc qdisc add dev eth0 clsact", 1)]
    [InlineData("", 3)]
    public async Task Attach_Frames_GoBetweenTheCardAndThePeer(string before, int queues)
    {
        _pod.Network.Run(before.Length > 0 ? before : "true");
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues);
        IReadOnlyList<SafeFileDescriptor> opened = tap.Take();
        try
        {
            Assert.Equal(queues, opened.Count);
            await TalkAsync(new Card(opened));
        }
        finally
        {
            Close(opened);
        }
    }

    [Fact]
    public void Attach_SeveralQueues_AreOneTap()
    {
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 4);
        var kind = Assert.IsType<TunKind>(_pod.Network.Socket.Links.Get(tap.Index).Kind);
        Assert.Equal((true, 4u), (kind.IsMultiQueue, kind.Queues));
    }

    [Fact]
    public void Dispose_QueuesWereTaken_LeavesThemToTheTaker()
    {
        Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 2);
        IReadOnlyList<SafeFileDescriptor> queues = tap.Take();
        tap.Dispose();
        Assert.Contains("tap2_kata", _pod.Links);
        queues[0].Dispose();
        Assert.Contains("tap2_kata", _pod.Links);
        queues[1].Dispose();
        Assert.DoesNotContain("tap2_kata", _pod.Links);
    }

    public static TheoryData<string> Befores =>
    [
        "true",
        "tc qdisc add dev eth0 clsact",
        "tc qdisc add dev eth0 ingress",
        """
        tc qdisc add dev eth0 ingress
        tc filter add dev eth0 parent ffff: protocol ip pref 10 u32 match ip dport 4712 0xffff action mirred egress redirect dev v0
        """,
        """
        tc qdisc add dev eth0 clsact
        tc filter add dev eth0 ingress protocol ip pref 10 u32 match ip dport 4712 0xffff action mirred egress redirect dev v0
        tc filter add dev eth0 egress protocol ip pref 11 u32 match ip dport 4712 0xffff action mirred egress redirect dev v0
        """,
        """
        tc qdisc add dev eth0 ingress
        tc filter add dev eth0 parent ffff: protocol ip u32 match ip dport 4712 0xffff action mirred egress redirect dev v0
        tc filter add dev eth0 parent ffff: protocol arp u32 match u32 0 0 action mirred egress mirror dev v0
        tc qdisc add dev eth0 root tbf rate 1mbit burst 32kbit limit 64kb
        """,
    ];

    [Theory]
    [MemberData(nameof(Befores))]
    public async Task Detach_WhateverWasThereBefore_IsThereAgainAndWorks(string before)
    {
        _pod.Network.Run("ip link add v0 type veth peer name v1"); // is down: what goes there is lost
        _pod.Network.Run(before);
        bool drops = before.Contains("4712", StringComparison.Ordinal);
        string expected = _pod.TrafficControl;
        await AssertOwnStackHearsAsync(drops);

        Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1);
        Assert.NotEqual(expected, _pod.TrafficControl);
        tap.Dispose();
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);

        Assert.Equal(expected, _pod.TrafficControl);
        await AssertOwnStackHearsAsync(drops);
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex); // once more does nothing
        Assert.Equal(expected, _pod.TrafficControl);
    }

    // Also one whose priority was left to the kernel: what it takes does not arrive at the guest.
    [Theory]
    [InlineData("")]
    [InlineData("pref 10 ")]
    public void Attach_FilterOfSomebodyElse_IsAskedFirst(string priority)
    {
        _pod.Network.Run(
            $"""
            ip link add v0 type veth peer name v1
            tc qdisc add dev eth0 ingress
            tc filter add dev eth0 parent ffff: protocol ip {priority}u32 match ip dport {DroppedPort} 0xffff \
                action mirred egress redirect dev v0
            """);
        _pod.Peer.Run($"ip neigh replace {Pod.Address} lladdr 02:00:00:00:00:42 dev peer0");
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1);
        IReadOnlyList<SafeFileDescriptor> queues = tap.Take();
        using UdpClient peer = _pod.Peer.Inside(static () => new UdpClient(0));
        peer.Send("no"u8.ToArray(), Pod.Address, DroppedPort);
        peer.Send("yes"u8.ToArray(), Pod.Address, Port);
        Assert.Equal("yes", new Card(queues).ReadText());
        Close(queues);
    }

    [Fact]
    public async Task Detach_TapIsStillOpen_TakesTheRedirectionAllTheSame()
    {
        string expected = _pod.Network.Run("tc qdisc show dev eth0");
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1);
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);
        Assert.Equal(expected, _pod.Network.Run("tc qdisc show dev eth0"));
        await AssertOwnStackHearsAsync(drops: false);
    }

    [Fact]
    public void Detach_NothingOfOurs_LeavesWhatIsThere()
    {
        _pod.Network.Run(
            """
            ip link add v0 type veth peer name v1
            tc qdisc add dev eth0 ingress
            tc filter add dev eth0 parent ffff: protocol all pref 7 u32 match u32 0 0 action mirred egress redirect dev v0
            """);
        string expected = _pod.TrafficControl;
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);
        Assert.Equal(expected, _pod.TrafficControl);
    }

    [Fact]
    public void Detach_LinkIsGone_DoesNothing()
    {
        EndpointPlan plan = _pod.Plan;
        using Tap tap = Endpoint.Attach(_pod.Space, plan, queues: 1);
        _pod.Network.Socket.Links.Delete(plan.LinkIndex);
        Endpoint.Detach(_pod.Space, plan.LinkIndex);
        tap.Dispose();
        Assert.Equal(["lo"], _pod.Links);
    }

    [Fact]
    public async Task Attach_AfterDetach_WorksAgain()
    {
        for (int turn = 0; turn < 3; turn++)
        {
            using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1);
            IReadOnlyList<SafeFileDescriptor> queues = tap.Take();
            await TalkAsync(new Card(queues));
            Close(queues);
            Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);
            _pod.Peer.Run("ip neigh flush dev peer0");
        }
    }

    // Whoever had it was killed: the tap went with it, and the redirection leads nowhere.
    [Fact]
    public async Task Attach_RedirectionOfADeadGuestIsLeft_WorksAndDetachTakesBoth()
    {
        string expected = _pod.TrafficControl;
        Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1).Dispose();
        Assert.NotEqual(expected, _pod.TrafficControl);
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1);
        IReadOnlyList<SafeFileDescriptor> queues = tap.Take();
        await TalkAsync(new Card(queues));
        Close(queues);
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);
        Assert.Equal(expected, _pod.TrafficControl);
    }

    [Fact]
    public void Attach_LinkIsGone_IsRefusedWithItsNameAndLeavesNothing()
    {
        EndpointPlan plan = _pod.Plan;
        _pod.Network.Socket.Links.Delete(plan.LinkIndex);
        NetworkException error = Assert.Throws<NetworkException>(() => Endpoint.Attach(_pod.Space, plan, queues: 1));
        Assert.StartsWith($"Cannot give the interface 'eth0' of '{_pod.Space.Path}' to the guest: Cannot ", error.Message);
        Assert.EndsWith("(ENODEV)", error.Message);
        Assert.Equal(["lo"], _pod.Links);
    }

    [Theory]
    [InlineData("ip link add tap2_kata type veth peer name other0")]
    [InlineData("ip tuntap add tap2_kata mode tap")]
    [InlineData("ip tuntap add tap2_kata mode tap vnet_hdr")] // it could be opened
    [InlineData("ip tuntap add tap2_kata mode tap vnet_hdr multi_queue")]
    public void Attach_NameIsTaken_IsRefusedAndLeavesNothing(string taken)
    {
        _pod.Network.Run(taken);
        (string Traffic, string[] Links) before = (_pod.TrafficControl, _pod.Links);
        foreach (int queues in new[] { 1, 2 })
        {
            NetworkException error = Assert.Throws<NetworkException>(() => Endpoint.Attach(_pod.Space, _pod.Plan, queues));
            Assert.Equal(
                $"Cannot give the interface 'eth0' of '{_pod.Space.Path}' to the guest: the machine of another pod has it already. "
                + "Give each pod a network namespace of its own",
                error.Message);
            Assert.Equal(before.Traffic, _pod.TrafficControl);
            Assert.Equal(before.Links, _pod.Links);
        }
    }

    // As by a second pod with the same network namespace.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Attach_InterfaceIsInAnotherGuest_IsRefusedAndThatOneGoesOn(int queues)
    {
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues);
        Assert.Throws<NetworkException>(() => Endpoint.Attach(_pod.Space, _pod.Plan, queues));
        IReadOnlyList<SafeFileDescriptor> opened = tap.Take();
        await TalkAsync(new Card(opened));
        Close(opened);
    }

    [Fact]
    public void Attach_LargerThanATapCanBe_IsRefusedAndLeavesNothing()
    {
        using var pod = new Pod(mtu: 65_535);
        string before = pod.TrafficControl;
        NetworkException error = Assert.Throws<NetworkException>(
            () => Endpoint.Attach(pod.Space, pod.Plan with { Mtu = Tap.MaxMtu + 1 }, queues: 1));
        Assert.Contains("'eth0'", error.Message);
        Assert.Contains("EINVAL", error.Message);
        Assert.Equal(before, pod.TrafficControl);
        Assert.Equal(["lo", "eth0"], pod.Links);
        using Tap tap = Endpoint.Attach(pod.Space, pod.Plan, queues: 1);
        Assert.Equal(Tap.MaxMtu, pod.Network.Socket.Links.Get(tap.Index).Mtu);
    }

    [Fact]
    public void Resize_InterfaceHasAnotherSize_IsTheTapsToo()
    {
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1);
        _pod.Network.Socket.Links.Change(_pod.Plan.LinkIndex, new LinkSettings { Mtu = 9000 });
        Endpoint.Resize(_pod.Space, tap.Index, _pod.Plan);
        Assert.Equal(9000u, _pod.Network.Socket.Links.Get(tap.Index).Mtu);

        tap.Dispose();
        NetworkException error = Assert.Throws<NetworkException>(() => Endpoint.Resize(_pod.Space, tap.Index, _pod.Plan));
        Assert.StartsWith($"Cannot give the interface 'eth0' of '{_pod.Space.Path}' an MTU of 9000: ", error.Message);
    }

    private Task TalkAsync(Card card) => Traffic.TalkAsync(_pod, card);

    // What is dropped was sent before what arrives.
    private async Task AssertOwnStackHearsAsync(bool drops)
    {
        using UdpClient dropped = _pod.Network.Inside(static () => new UdpClient(new IPEndPoint(IPAddress.Any, DroppedPort)));
        using UdpClient own = _pod.Network.Inside(static () => new UdpClient(new IPEndPoint(IPAddress.Any, Port)));
        using UdpClient peer = _pod.Peer.Inside(static () => new UdpClient(0));
        peer.Send("no"u8.ToArray(), Pod.Address, DroppedPort);
        peer.Send("yes"u8.ToArray(), Pod.Address, Port);
        Assert.Equal("yes"u8.ToArray(), (await own.ReceiveAsync().Within()).Buffer);
        Assert.Equal(drops ? 0 : 2, dropped.Available);
    }

    private static void Close(IEnumerable<SafeFileDescriptor> queues)
    {
        foreach (SafeFileDescriptor queue in queues)
        {
            queue.Dispose();
        }
    }
}
