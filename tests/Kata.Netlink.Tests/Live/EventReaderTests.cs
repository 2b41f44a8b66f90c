using System.Net;
using System.Net.Sockets;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>The events of the running kernel, for a program that waits by means of its own.</summary>
public sealed class EventReaderTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();

    private NetlinkSocket Socket => _network.Socket;

    public void Dispose() => _network.Dispose();

    [Fact]
    public void TryRead_NothingHasHappened_IsFalseAtOnceAndTheHandleIsNotReadable()
    {
        using RouteEventReader reader = Open(RouteGroups.All);
        Assert.False(IsReadable(reader));
        Assert.False(reader.TryRead(out RouteEvent? item));
        Assert.Null(item);
    }

    [Fact]
    public void TryRead_ChangesInTheirOrder_AreGivenAndTheHandleIsReadableUntilThen()
    {
        using RouteEventReader reader = Open(RouteGroups.IPv4Rules);
        for (uint priority = 1; priority <= 3; priority++)
        {
            Socket.Rules.Add(new RoutingRule { Family = IPFamily.IPv4, Priority = priority, Table = 77 });
        }

        Assert.True(IsReadable(reader));
        Assert.Equal([1u, 2u, 3u], ReadAll(reader).Select(static item => Assert.IsType<RuleEvent>(item).Rule.Priority!.Value));
        Assert.False(IsReadable(reader));

        Socket.Rules.Delete(new RoutingRule { Family = IPFamily.IPv4, Priority = 2, Table = 77 });
        Assert.True(IsReadable(reader));
        Assert.True(Assert.IsType<RuleEvent>(Assert.Single(ReadAll(reader))).IsDeleted);
    }

    [Fact]
    public void TryRead_MoreThanTheBufferTakes_TellsOfTheLossOnceAndThenOfNews()
    {
        using RouteEventReader reader = _network.Inside(
            static () => new RouteEventReader(RouteGroups.IPv4Routes, new RouteMonitorOptions { ReceiveBufferBytes = 4096 }));
        NetlinkBatch batch = Socket.CreateBatch();
        for (byte number = 0; number < 200; number++)
        {
            batch.Routes.Add(new Route { Destination = new IPPrefix(new IPAddress([10, number, 0, 0]), 16), Type = RouteType.Blackhole });
        }

        batch.Send();
        Assert.True(IsReadable(reader));
        Assert.IsType<OverrunEvent>(Assert.Single(ReadAll(reader))); // what waited before it is old by then
        Assert.False(IsReadable(reader));

        Socket.Routes.Delete(new Route { Destination = IPPrefix.Parse("10.7.0.0/16"), Type = RouteType.Blackhole });
        var told = Assert.IsType<RouteChangeEvent>(Assert.Single(ReadAll(reader)));
        Assert.Equal((true, IPPrefix.Parse("10.7.0.0/16")), (told.IsDeleted, told.Route.Destination));
    }

    // Whoever can send to the socket is in the same namespace, and may be anybody there.
    [Fact]
    public void TryRead_MadeInANamespace_IsToldOfThatOneOnly()
    {
        using RouteEventReader reader = Open(RouteGroups.Links);
        using TestNetwork other = TestNetwork.Create();
        other.AddPair("v0", "v1");
        Assert.Empty(ReadAll(reader));
        _network.AddPair("w0", "w1");
        Assert.All(ReadAll(reader), static item => Assert.StartsWith("w", Assert.IsType<LinkEvent>(item).Link.Name));
    }

    [Fact]
    public void TryRead_Disposed_IsRefused()
    {
        RouteEventReader reader = Open(RouteGroups.Links);
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.TryRead(out _));
        reader.Dispose(); // once more does nothing
    }

    [Theory]
    [InlineData(RouteGroups.None)]
    [InlineData((RouteGroups)0x10000)]
    public void Constructor_NoSuchGroups_IsRefused(RouteGroups groups) =>
        Assert.Throws<ArgumentException>(() => new RouteEventReader(groups));

    [Fact]
    public void Constructor_BufferOfNothing_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(
        static () => new RouteEventReader(RouteGroups.Links, new RouteMonitorOptions { ReceiveBufferBytes = 0 }));

    private RouteEventReader Open(RouteGroups groups) => _network.Inside(() => new RouteEventReader(groups));

    private static List<RouteEvent> ReadAll(RouteEventReader reader)
    {
        var items = new List<RouteEvent>();
        while (reader.TryRead(out RouteEvent? item))
        {
            items.Add(item);
        }

        return items;
    }

    // The kernel has put an event into the socket before it answers the change that it is of.
    private static bool IsReadable(RouteEventReader reader)
    {
        using var socket = new Socket(new SafeSocketHandle(reader.Handle.DangerousGetHandle(), ownsHandle: false));
        return socket.Poll(0, SelectMode.SelectRead);
    }
}
