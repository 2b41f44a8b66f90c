using System.Runtime.InteropServices;
using Kata.Netlink.Interop;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>Datagrams of the running kernel, and of others.</summary>
public sealed partial class TransportTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();
    private readonly KernelTransport _transport;
    private byte[] _buffer = new byte[16];

    public TransportTests() => _transport = _network.Inside(static () => KernelTransport.OpenForRequests(TimeSpan.FromMilliseconds(50)));

    public void Dispose()
    {
        _transport.Dispose();
        _network.Dispose();
    }

    [Fact]
    public void Receive_BufferTooSmall_IsGrownAndNothingIsLost()
    {
        _network.AddPair("v0", "v1");
        var message = new MessageWriter(Rtnl.RTM_GETLINK, Rtnl.NLM_F_DUMP);
        message.Structure(default(IfInfoMsg));
        Assert.Equal(NetlinkErrno.None, _transport.Send(message.Finish(7)));

        var names = new List<string>();
        for (bool isDone = false; !isDone;)
        {
            Assert.Equal(NetlinkErrno.None, _transport.Receive(ref _buffer, out int length, out uint sender));
            Assert.Equal(0u, sender);
            List<object> records = NetlinkMessages.Read(_buffer.AsSpan(0, length));
            names.AddRange(records.OfType<LinkEvent>().Select(static item => item.Link.Name));
            isDone = records.Exists(static record => record is Acknowledgement);
        }

        Assert.Equal(["lo", "v0", "v1"], names.Order(StringComparer.Ordinal));
        Assert.True(_buffer.Length > 16);
    }

    [Fact]
    public void Receive_Nothing_EndsAfterTheTimeout() =>
        Assert.Equal(NetlinkErrno.EAGAIN, _transport.Receive(ref _buffer, out _, out _));

    // A process with CAP_NET_ADMIN can send to another's socket; what it says is not the kernel's.
    [Fact]
    public void Receive_DatagramOfAnotherProcess_HasItsSender()
    {
        using KernelTransport other = _network.Inside(static () => KernelTransport.OpenForRequests(TimeSpan.FromSeconds(1)));
        byte[] forged = Messages.Link(1, 1, "forged");
        Assert.Equal(forged.Length, sendto(other.Handle, forged, (nuint)forged.Length, 0, AddressOf(_transport), 12));

        Assert.Equal(NetlinkErrno.None, _transport.Receive(ref _buffer, out int length, out uint sender));
        Assert.Equal(forged, _buffer.AsSpan(0, length).ToArray());
        Assert.Equal(MemoryMarshal.Read<SockAddrNl>(AddressOf(other)).nl_pid, sender);
        Assert.NotEqual(0u, sender);
    }

    [Fact]
    public async Task Socket_UsedByManyThreads_GivesEachItsAnswer()
    {
        Link[] links = [_network.AddPair("a0", "a1"), _network.AddPair("b0", "b1")];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(
            () =>
            {
                for (int i = 0; i < 200; i++)
                {
                    Link link = links[worker % 2];
                    Assert.Equal(link.Name, _network.Socket.Links.Get(link.Index).Name);
                }
            },
            TestContext.Current.CancellationToken)));
    }

    private static byte[] AddressOf(KernelTransport transport)
    {
        byte[] address = new byte[12];
        uint length = 12;
        Assert.Equal(0, getsockname(transport.Handle, address, ref length));
        return address;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendto(
        SafeHandle socket, byte[] data, nuint length, int flags, byte[] address, uint addressLength);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockname(SafeHandle socket, byte[] address, ref uint length);
}
