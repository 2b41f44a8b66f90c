using Kata.Netlink;

namespace Kata.Network.Tests;

/// <summary>How fast interfaces are in the running kernel, and what is there for it.</summary>
public sealed class EndpointRateTests : IDisposable
{
    private const ulong Rate = 200_000; // of the 150,000 bytes and their headers 80,000 come at once

    private static readonly TimeSpan s_limited = TimeSpan.FromSeconds(0.3);
    private static readonly TimeSpan s_halfAsFast = TimeSpan.FromSeconds(1.1);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);
    private static readonly EndpointOptions s_both = new() { ReceiveRate = Rate, SendRate = Rate };

    private readonly Pod _pod = new();

    public void Dispose() => _pod.Dispose();

    [Fact]
    public void Attach_NoLimits_MakesNothingForThem()
    {
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1);
        Assert.Equal(["lo", "eth0", Tap.NameOf(_pod.Plan.LinkIndex)], _pod.Links);
        Assert.DoesNotContain("tbf", _pod.TrafficControl, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false, 1)]
    [InlineData(false, true, 1)]
    [InlineData(true, true, 3)]
    public async Task Attach_Limits_HoldEachItsDirection(bool receiving, bool sending, int queues)
    {
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues, new EndpointOptions
        {
            ReceiveRate = receiving ? Rate : null,
            SendRate = sending ? Rate : null,
        });
        using var card = new OpenCard(tap);

        Assert.Equal(receiving, await ReceiveAsync(card.Card) > s_limited);
        Assert.Equal(sending, await SendAsync(card.Card) > s_limited);
    }

    [Fact]
    public async Task Attach_InterfaceHasAQdiscOfItsOwn_BothHold()
    {
        _pod.Network.Run("tc qdisc add dev eth0 root handle 7: tbf rate 800kbit burst 20kb limit 400kb");
        string own = _pod.Network.Run("tc qdisc show dev eth0 root");
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_both);
        using var card = new OpenCard(tap);

        Assert.Equal(own, _pod.Network.Run("tc qdisc show dev eth0 root"));
        Assert.InRange(await SendAsync(card.Card), s_halfAsFast, s_longest); // theirs is the slower one
        _pod.Network.Run("tc qdisc del dev eth0 root");
        Assert.InRange(await SendAsync(card.Card), s_limited, s_halfAsFast); // and now ours
        _pod.Network.Run("tc qdisc add dev eth0 root tbf rate 800kbit burst 20kb limit 400kb");
        Assert.InRange(await SendAsync(card.Card), s_halfAsFast, s_longest);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("tc qdisc add dev eth0 root handle 7: tbf rate 1mbit burst 32kbit limit 64kb")]
    [InlineData("tc qdisc add dev eth0 root handle 7: htb default 1; tc qdisc add dev eth0 clsact")]
    public void Detach_WithLimits_LeavesTheNamespaceAsItWas(string before)
    {
        _pod.Network.Run(before);
        (string Traffic, string[] Links) expected = (_pod.TrafficControl, _pod.Links);
        Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_both);
        Assert.Equal(5, _pod.Links.Length);
        tap.Dispose();
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);
        Assert.Equal(expected.Traffic, _pod.TrafficControl);
        Assert.Equal(expected.Links, _pod.Links);
    }

    [Fact]
    public void Detach_LinkIsGone_TakesWhatIsLeft()
    {
        EndpointPlan plan = _pod.Plan;
        Endpoint.Attach(_pod.Space, plan, queues: 1, s_both).Dispose();
        _pod.Network.Socket.Links.Delete(plan.LinkIndex);
        Endpoint.Detach(_pod.Space, plan.LinkIndex);
        Assert.Equal(["lo"], _pod.Links);
    }

    [Fact]
    public async Task Attach_WhatADeadGuestHadIsLeft_Works()
    {
        (string Traffic, string[] Links) expected = (_pod.TrafficControl, _pod.Links);
        Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_both).Dispose();
        using (Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_both))
        using (var card = new OpenCard(tap))
        {
            Assert.InRange(await SendAsync(card.Card), s_limited, s_longest);
        }

        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);
        Assert.Equal(expected.Traffic, _pod.TrafficControl);
        Assert.Equal(expected.Links, _pod.Links);
    }

    // The largest number that a link can have.
    [Fact]
    public void Attach_LongNumber_HasNamesForAllLinks()
    {
        _pod.Network.Run("ip link add far index 2147483647 type veth peer name near; ip addr add 10.1.0.1/24 dev far; ip link set far up");
        EndpointPlan plan = NetworkPlanner.Plan(HostNetwork.Read(_pod.Space), out _).Single(static plan => plan.Name == "far");
        using Tap tap = Endpoint.Attach(_pod.Space, plan, queues: 1, s_both);
        Assert.Equal(3, _pod.Links.Count(static name => name.EndsWith("_kata", StringComparison.Ordinal)));
        Assert.DoesNotContain(
            NetworkPlanner.Plan(HostNetwork.Read(_pod.Space), out _),
            static other => other.Name.EndsWith("_kata", StringComparison.Ordinal));
    }

    [Fact]
    public void Attach_Links_SayNothingThemselves()
    {
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_both);
        foreach (Link link in _pod.Network.Socket.Links.List().Where(static link => link.Name.EndsWith("_kata", StringComparison.Ordinal)))
        {
            Assert.True(link.Flags.HasFlag(LinkFlags.Up));
            Assert.Equal(1400u, link.Mtu);
            Assert.Empty(_pod.Network.Socket.Addresses.List(linkIndex: link.Index));
        }
    }

    [Fact]
    public void Resize_WithLimits_IsThatOfAllLinks()
    {
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1, s_both);
        _pod.Network.Socket.Links.Change(_pod.Plan.LinkIndex, new LinkSettings { Mtu = 9000 });
        Endpoint.Resize(_pod.Space, tap.Index, _pod.Plan);
        Assert.Equal([9000u, 9000u, 9000u, 9000u], _pod.Network.Socket.Links.List().Skip(1).Select(static link => link.Mtu));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(125_000)]
    [InlineData(12_500_000_000)]
    [InlineData(long.MaxValue / 8)]
    public void Attach_SlowestAndFastestRates_AreTheKernels(long rate)
    {
        using Tap tap = Endpoint.Attach(
            _pod.Space, _pod.Plan, queues: 1, new EndpointOptions { ReceiveRate = (ulong)rate, SendRate = (ulong)rate });
        TbfQdisc[] buckets = [.. _pod.Network.Socket.Qdiscs.List().Select(static qdisc => qdisc.Kind).OfType<TbfQdisc>()];
        Assert.Equal([(ulong)rate, (ulong)rate], buckets.Select(static bucket => bucket.Rate));
        Assert.All(buckets, static bucket => Assert.InRange(bucket.Limit, 160_000u, uint.MaxValue));
    }

    private Task<TimeSpan> ReceiveAsync(Card card) => Traffic.ReceiveAsync(_pod, card);

    private Task<TimeSpan> SendAsync(Card card) => Traffic.SendAsync(_pod, card);
}
