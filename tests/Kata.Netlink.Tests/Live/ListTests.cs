using System.Net;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>Lists of the running kernel that change while they are read.</summary>
public sealed class ListTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();

    public void Dispose() => _network.Dispose();

    // Each list is complete: what was there all the time is in it, once.
    [Fact]
    public async Task List_WhileLinksComeAndGo_IsWhole()
    {
        for (int number = 0; number < 60; number++)
        {
            var peer = new LinkSettings { Name = $"b{number}" };
            _network.Socket.Links.Add(new LinkSettings { Name = $"a{number}", Kind = new VethKind { Peer = peer } });
        }

        using NetlinkSocket other = _network.Inside(static () => new NetlinkSocket());
        using var stop = new CancellationTokenSource();
        Task changes = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    other.Links.Add(new LinkSettings { Name = "x0", Kind = new VethKind { Peer = new LinkSettings { Name = "x1" } } });
                    other.Links.Delete("x0");
                }
            },
            TestContext.Current.CancellationToken);
        try
        {
            for (int i = 0; i < 50; i++)
            {
                IReadOnlyList<Link> links = ListOf(_network.Socket);
                Assert.Equal(120, links.Count(static link => link.Name[0] is 'a' or 'b'));
                Assert.Equal(links.Count, links.Select(static link => link.Index).Distinct().Count());
            }
        }
        finally
        {
            await stop.CancelAsync();
            await changes;
        }
    }

    // One attempt is not enough: or the retry above would prove nothing.
    [Fact]
    public async Task List_WhileAddressesChange_IsInterruptedAndSaysSo()
    {
        Link link = _network.AddPair("v0", "v1");
        NetlinkBatch batch = _network.Socket.CreateBatch();
        for (int number = 0; number < 3000; number++)
        {
            batch.Addresses.Add(Address(link, number));
        }

        batch.Send();
        using NetlinkSocket once = _network.Inside(static () => new NetlinkSocket(new NetlinkOptions { MaxListAttempts = 1 }));
        using NetlinkSocket other = _network.Inside(static () => new NetlinkSocket());
        using var stop = new CancellationTokenSource();
        Task changes = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    other.Addresses.Add(Address(link, 5000));
                    other.Addresses.Delete(Address(link, 5000));
                }
            },
            TestContext.Current.CancellationToken);
        try
        {
            NetlinkException? error = null;
            for (int i = 0; i < 500 && error is null; i++)
            {
                error = Record.Exception(() => once.Addresses.List(IPFamily.IPv4)) as NetlinkException;
            }

            Assert.Equal(NetlinkErrno.EINTR, error?.Errno);
        }
        finally
        {
            await stop.CancelAsync();
            await changes;
        }

        Assert.Equal(3001, once.Addresses.List(IPFamily.IPv4).Count);
    }

    // Where it changes faster than it can be read the limit is met: then it is asked again.
    private static IReadOnlyList<Link> ListOf(NetlinkSocket socket)
    {
        while (true)
        {
            try
            {
                return socket.Links.List();
            }
            catch (NetlinkException error) when (error.Errno == NetlinkErrno.EINTR)
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private static InterfaceAddress Address(Link link, int number) => new()
    {
        LinkIndex = link.Index,
        Local = new IPPrefix(new IPAddress([20, (byte)(number >> 8), (byte)number, 1]), 24),
        Flags = AddressFlags.NoPrefixRoute,
    };
}
