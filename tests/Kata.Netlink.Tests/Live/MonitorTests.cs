using System.Net;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>What the running kernel tells of changes.</summary>
public sealed class MonitorTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();

    private NetlinkSocket Socket => _network.Socket;

    public void Dispose() => _network.Dispose();

    [Fact]
    public async Task ReadAll_EveryChange_IsToldInItsOrder()
    {
        using RouteMonitor monitor = _network.Inside(static () => new RouteMonitor(RouteGroups.All));
        Link link = _network.AddPair("v0", "v1");
        var address = new InterfaceAddress { LinkIndex = link.Index, Local = IPPrefix.Parse("10.0.0.1/24") };
        var route = new Route { Destination = IPPrefix.Parse("10.1.0.0/16"), LinkIndex = link.Index };
        var rule = new RoutingRule { Family = IPFamily.IPv6, Priority = 100, Table = 77 };
        var neighbour = new Neighbour
        {
            LinkIndex = link.Index,
            Address = IPAddress.Parse("10.0.0.7"),
            LinkAddress = LinkAddress.Parse("02:00:00:00:00:07"),
        };
        Socket.Addresses.Add(address);
        Socket.Routes.Add(route);
        Socket.Rules.Add(rule);
        Socket.Neighbours.Add(neighbour);
        Socket.Neighbours.Delete(neighbour);
        Socket.Rules.Delete(rule);
        Socket.Routes.Delete(route);
        Socket.Addresses.Delete(address);
        Socket.Links.Delete(link.Index);

        List<string> expected =
        [
            "link v0", "address 10.0.0.1/24", "route 10.1.0.0/16", "rule 100", "neighbour 10.0.0.7",
            "-neighbour 10.0.0.7", "-rule 100", "-route 10.1.0.0/16", "-address 10.0.0.1/24", "-link v0",
        ];
        var seen = new List<string>();
        await using IAsyncEnumerator<RouteEvent> events = monitor.ReadAllAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator();
        while (seen.Count < expected.Count)
        {
            Assert.True(await events.MoveNextAsync().AsTask().Within(), $"only {string.Join(", ", seen)}");
            string text = Text(events.Current);
            if (expected.Contains(text) && !seen.Contains(text))
            {
                seen.Add(text); // the kernel tells more, as of the routes that go with an address
            }
        }

        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task ReadAll_OtherGroups_AreNotTold()
    {
        using RouteMonitor monitor = _network.Inside(static () => new RouteMonitor(RouteGroups.IPv4Rules));
        _network.AddPair("v0", "v1");
        Socket.Rules.Add(new RoutingRule { Family = IPFamily.IPv6, Priority = 100, Table = 77 });
        Socket.Rules.Add(new RoutingRule { Family = IPFamily.IPv4, Priority = 100, Table = 77 });
        RuleEvent told = Assert.IsType<RuleEvent>(await FirstAsync(monitor));
        Assert.Equal((IPFamily.IPv4, 77u, false), (told.Rule.Family, told.Rule.Table, told.IsDeleted));
    }

    [Fact]
    public async Task ReadAll_NothingYet_WaitsForTheChange()
    {
        using RouteMonitor monitor = _network.Inside(static () => new RouteMonitor(RouteGroups.Links));
        Task<RouteEvent> first = FirstAsync(monitor);
        Assert.False(first.IsCompleted);
        Socket.Links.Add(new LinkSettings { Name = "v0", Kind = new VethKind() });
        Assert.IsType<LinkEvent>(await first.Within());
    }

    [Fact]
    public async Task ReadAll_SlowReaderWithATinyBuffer_IsToldThatEventsAreLost()
    {
        using RouteMonitor monitor = _network.Inside(
            static () => new RouteMonitor(RouteGroups.IPv4Routes, new RouteMonitorOptions { ReceiveBufferBytes = 4096 }));
        NetlinkBatch batch = Socket.CreateBatch();
        for (byte number = 0; number < 200; number++)
        {
            batch.Routes.Add(new Route { Destination = new IPPrefix(new IPAddress([10, number, 0, 0]), 16), Type = RouteType.Blackhole });
        }

        batch.Send();
        await using IAsyncEnumerator<RouteEvent> events = monitor.ReadAllAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync().AsTask().Within());
        Assert.IsType<OverrunEvent>(events.Current);

        // What comes after it is news.
        Socket.Routes.Delete(new Route { Destination = IPPrefix.Parse("10.7.0.0/16"), Type = RouteType.Blackhole });
        Assert.True(await events.MoveNextAsync().AsTask().Within());
        var told = Assert.IsType<RouteChangeEvent>(events.Current);
        Assert.Equal((true, IPPrefix.Parse("10.7.0.0/16")), (told.IsDeleted, told.Route.Destination));
    }

    [Fact]
    public async Task ReadAll_OverrunWhileItWaits_IsToldToo()
    {
        using RouteMonitor monitor = _network.Inside(
            static () => new RouteMonitor(RouteGroups.IPv4Routes, new RouteMonitorOptions { ReceiveBufferBytes = 1 }));
        await using IAsyncEnumerator<RouteEvent> events = monitor.ReadAllAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator();
        for (bool isTold = false; !isTold;)
        {
            Task<bool> next = events.MoveNextAsync().AsTask();
            NetlinkBatch batch = Socket.CreateBatch();
            for (byte number = 0; number < 60; number++)
            {
                var route = new Route { Destination = new IPPrefix(new IPAddress([10, number, 0, 0]), 16), Type = RouteType.Blackhole };
                batch.Routes.Replace(route);
                batch.Routes.Delete(route);
            }

            batch.Send();
            Assert.True(await next.Within());
            isTold = events.Current is OverrunEvent;
        }
    }

    // The rest of what was read with it is not lost.
    [Fact]
    public async Task ReadAll_LeftAfterTheFirst_GoesOnWithTheNext()
    {
        using RouteMonitor monitor = _network.Inside(static () => new RouteMonitor(RouteGroups.IPv4Rules));
        for (uint priority = 1; priority <= 3; priority++)
        {
            Socket.Rules.Add(new RoutingRule { Family = IPFamily.IPv4, Priority = priority, Table = 77 });
        }

        for (uint priority = 1; priority <= 3; priority++)
        {
            Assert.Equal(priority, Assert.IsType<RuleEvent>(await FirstAsync(monitor).Within()).Rule.Priority);
        }
    }

    [Fact]
    public async Task ReadAll_Cancelled_EndsAndCanBeReadAgain()
    {
        using RouteMonitor monitor = _network.Inside(static () => new RouteMonitor(RouteGroups.Links));
        using var cancellation = new CancellationTokenSource();
        Task<RouteEvent> first = FirstAsync(monitor, cancellation.Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => FirstAsync(monitor));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.Within());
        Socket.Links.Add(new LinkSettings { Name = "v0", Kind = new VethKind() });
        Assert.IsType<LinkEvent>(await FirstAsync(monitor).Within());
    }

    [Fact]
    public async Task Dispose_WhileItIsRead_EndsTheReader()
    {
        RouteMonitor monitor = _network.Inside(static () => new RouteMonitor(RouteGroups.Links));
        Task<RouteEvent> first = FirstAsync(monitor);
        monitor.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => first.Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => FirstAsync(monitor).Within());
    }

    [Theory]
    [InlineData(RouteGroups.None)]
    [InlineData((RouteGroups)0x10000)]
    public void Constructor_NoSuchGroups_IsRefused(RouteGroups groups) =>
        Assert.Throws<ArgumentException>(() => new RouteMonitor(groups));

    private static async Task<RouteEvent> FirstAsync(RouteMonitor monitor, CancellationToken cancellationToken = default)
    {
        await foreach (RouteEvent item in monitor.ReadAllAsync(cancellationToken))
        {
            return item;
        }

        throw new InvalidOperationException("The events have ended");
    }

    private static string Text(RouteEvent item) => item switch
    {
        LinkEvent link => $"{(link.IsDeleted ? "-" : "")}link {link.Link.Name}",
        AddressEvent address => $"{(address.IsDeleted ? "-" : "")}address {address.Address.Local}",
        RouteChangeEvent route => $"{(route.IsDeleted ? "-" : "")}route {route.Route.Destination}",
        RuleEvent rule => $"{(rule.IsDeleted ? "-" : "")}rule {rule.Rule.Priority}",
        // A deleted neighbour is told of as failed before it goes.
        NeighbourEvent neighbour => $"{(neighbour.IsDeleted || neighbour.Neighbour.State == NeighbourState.Failed ? "-" : "")}"
            + $"neighbour {neighbour.Neighbour.Address}",
        _ => item.ToString(),
    };
}
