using System.Net;
using Kata.Netlink;
using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>Changes of a network namespace of the running kernel. Alone, for a test counts the processor's time of the process.</summary>
[CollectionDefinition(nameof(NetworkWatchTests), DisableParallelization = true)]
[Collection(nameof(NetworkWatchTests))]
public sealed class NetworkWatchTests : IAsyncLifetime
{
    private readonly TestNetwork _network = TestNetwork.Create();
    private readonly NetworkNamespace _space;
    private readonly NetworkWatch _watch;
    private readonly Link _link;

    public NetworkWatchTests()
    {
        _space = Pod.Open(_network);
        Write("all/disable_ipv6", "1"); // the kernel would tell of addresses of its own for some time
        Write("default/disable_ipv6", "1");
        Write("default/addr_gen_mode", "1");
        _watch = NetworkWatch.Open(_space);
        _link = _network.AddPair("v0", "v1");
    }

    private NetlinkSocket Socket => _network.Socket;

    // The kernel tells later that a link works.
    public async ValueTask InitializeAsync()
    {
        while (Socket.Links.List().Any(static link => link is { Name: "v0" or "v1", OperState: not LinkOperState.Up }))
        {
            await _watch.WaitAsync(TestContext.Current.CancellationToken).Within();
        }

        Socket.Links.SetUp(_link.Index); // waits until what can be seen has been told
        _ = _watch.TakeAll();
    }

    public ValueTask DisposeAsync()
    {
        _watch.Dispose();
        _space.Dispose();
        _network.Dispose();
        return ValueTask.CompletedTask;
    }

    public static TheoryData<string> Changes => [.. s_changes.Keys];

    private static readonly Dictionary<string, Action<NetlinkSocket, int>> s_changes = new(StringComparer.Ordinal)
    {
        ["a link"] = static (socket, _) => socket.Links.Add(new LinkSettings { Name = "w0", Kind = new VethKind() }),
        ["an MTU"] = static (socket, link) => socket.Links.Change(link, new LinkSettings { Mtu = 1300 }),
        ["an address"] = static (socket, link) =>
            socket.Addresses.Add(new InterfaceAddress { LinkIndex = link, Local = IPPrefix.Parse("10.0.0.1/24") }),
        ["an address of IPv6"] = static (socket, link) =>
            socket.Addresses.Add(new InterfaceAddress { LinkIndex = link, Local = IPPrefix.Parse("fd00::1/64") }),
        ["a route"] = static (socket, link) =>
            socket.Routes.Add(new Route { Destination = IPPrefix.Parse("10.1.0.0/16"), LinkIndex = link }),
        ["a route of IPv6"] = static (socket, link) =>
            socket.Routes.Add(new Route { Destination = IPPrefix.Parse("fd01::/64"), LinkIndex = link }),
        ["a neighbour"] = static (socket, link) => socket.Neighbours.Add(new Neighbour
        {
            LinkIndex = link,
            Address = IPAddress.Parse("10.0.0.9"),
            LinkAddress = LinkAddress.Parse("02:00:00:00:00:09"),
        }),
        ["a link that goes"] = static (socket, link) => socket.Links.Delete(link),
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task WaitAsync_SomethingChanges_Completes(string what)
    {
        if (what.EndsWith("IPv6", StringComparison.Ordinal))
        {
            Write("v0/disable_ipv6", "0");
            _ = _watch.TakeAll();
        }

        Task waiting = _watch.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        s_changes[what](Socket, _link.Index);
        await waiting.Within();
    }

    [Fact]
    public async Task WaitAsync_ManyChanges_AreOne()
    {
        NetlinkBatch batch = Socket.CreateBatch();
        for (byte number = 0; number < 100; number++)
        {
            batch.Routes.Add(new Route { Destination = new IPPrefix(new IPAddress([10, number, 0, 0]), 16), Type = RouteType.Blackhole });
        }

        batch.Send();
        await _watch.WaitAsync(TestContext.Current.CancellationToken).Within();
        Assert.False(_watch.TakeAll());
    }

    // More than fits: it is told that something was lost, which is a change.
    [Fact]
    public async Task WaitAsync_FloodThatOverruns_CompletesAndGoesOn()
    {
        for (int turn = 0; turn < 4; turn++)
        {
            NetlinkBatch batch = Socket.CreateBatch();
            for (int number = 0; number < 1000; number++)
            {
                var route = new Route
                {
                    Destination = new IPPrefix(new IPAddress([10, (byte)turn, (byte)(number / 250), (byte)(number % 250)]), 32),
                    Type = RouteType.Blackhole,
                };
                batch.Routes.Replace(route);
                batch.Routes.Delete(route);
            }

            batch.Send();
        }

        await _watch.WaitAsync(TestContext.Current.CancellationToken).Within();
        Task next = _watch.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(next.IsCompleted);
        Socket.Links.Change(_link.Index, new LinkSettings { Mtu = 1300 });
        await next.Within();
    }

    [Fact]
    public async Task WaitAsync_NothingChanges_DoesNotComplete()
    {
        using var cancellation = new CancellationTokenSource();
        Task waiting = _watch.WaitAsync(cancellation.Token);
        await Assert.ThrowsAsync<TimeoutException>(() => waiting.WaitAsync(TimeSpan.FromMilliseconds(200)));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Within());

        Task again = _watch.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(again.IsCompleted);
        Socket.Links.Change(_link.Index, new LinkSettings { Mtu = 1300 });
        await again.Within();
    }

    // A waiter that is woken for nothing, again and again, would take a processor.
    [Fact]
    public async Task WaitAsync_NothingChanges_TakesNoTime()
    {
        using var cancellation = new CancellationTokenSource();
        Task waiting = _watch.WaitAsync(cancellation.Token);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        await Task.Delay(500, TestContext.Current.CancellationToken);
        TimeSpan spent = Environment.CpuUsage.TotalTime - before;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Within());
        Assert.InRange(spent, TimeSpan.Zero, TimeSpan.FromMilliseconds(400));
    }

    [Fact]
    public async Task WaitAsync_OtherNamespaceChanges_DoesNotComplete()
    {
        using TestNetwork other = TestNetwork.Create();
        other.AddPair("w0", "w1");
        Assert.False(_watch.TakeAll());
        Task waiting = _watch.WaitAsync(TestContext.Current.CancellationToken);
        Socket.Links.Change(_link.Index, new LinkSettings { Mtu = 1300 });
        await waiting.Within();
    }

    [Fact]
    public async Task Dispose_SomebodyWaits_EndsTheWait()
    {
        Task waiting = _watch.WaitAsync(TestContext.Current.CancellationToken);
        _watch.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.Within());
    }

    private void Write(string setting, string value) => _network.Inside(() =>
    {
        File.WriteAllText($"/proc/sys/net/ipv6/conf/{setting}", value);
        return true;
    });
}
