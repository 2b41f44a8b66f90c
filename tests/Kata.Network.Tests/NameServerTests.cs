using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Kata.Linux;

namespace Kata.Network.Tests;

/// <summary>The name server in a pod's namespace, asked as a relay asks it.</summary>
public sealed class NameServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("   12: 0B00007F:AC3D 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 30 2 00 0", true)]
    [InlineData("   12: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 30 2 00 0", false)]
    [InlineData("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", false)]
    [InlineData("", false)]
    public void IsAtAddress_Table(string line, bool expected) =>
        Assert.Equal(expected && BitConverter.IsLittleEndian, NameServer.IsAtAddress(line));

    [Fact]
    public async Task AskAsync_Datagram_HasTheServersAnswer()
    {
        using var pod = new Pod();
        using Socket server = pod.Network.Inside(static () => Listen(SocketType.Dgram, ProtocolType.Udp));
        Assert.True(NameServer.IsIn(pod.Space));

        Task<byte[]> answer = NameServer.AskAsync(pod.Space, "question"u8.ToArray(), stream: false, Cancellation);
        byte[] buffer = new byte[100];
        SocketReceiveFromResult received = await server.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), Cancellation);
        Assert.Equal("question"u8.ToArray(), buffer[..received.ReceivedBytes]);
        await server.SendToAsync("answer"u8.ToArray(), received.RemoteEndPoint, Cancellation);

        Assert.Equal("answer"u8.ToArray(), await answer);
    }

    [Fact]
    public async Task AskAsync_Stream_HasAnAnswerLongerThanADatagram()
    {
        using var pod = new Pod();
        using Socket server = pod.Network.Inside(static () => Listen(SocketType.Stream, ProtocolType.Tcp));

        Task<byte[]> answer = NameServer.AskAsync(pod.Space, "question"u8.ToArray(), stream: true, Cancellation);
        using Socket connection = await server.AcceptAsync(Cancellation);
        byte[] buffer = new byte[10];
        for (int have = 0; have < buffer.Length;)
        {
            have += await connection.ReceiveAsync(buffer.AsMemory(have), Cancellation);
        }

        Assert.Equal([0, 8, .. "question"u8], buffer);
        byte[] reply = new byte[2 + 60_000];
        BinaryPrimitives.WriteUInt16BigEndian(reply, 60_000);
        await connection.SendAsync(reply, Cancellation);

        Assert.Equal(60_000, (await answer).Length);
    }

    [Fact]
    public async Task AskAsync_Nobody_IsAnErrorAtOnce()
    {
        using var pod = new Pod();
        Assert.False(NameServer.IsIn(pod.Space));
        LinuxException error = await Assert.ThrowsAsync<LinuxException>(
            () => NameServer.AskAsync(pod.Space, "question"u8.ToArray(), stream: true, Cancellation));
        Assert.Equal(Errno.ECONNREFUSED, error.Errno);
    }

    private static Socket Listen(SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        socket.Bind(new IPEndPoint(new IPAddress(NameServer.Address), 53));
        if (type == SocketType.Stream)
        {
            socket.Listen();
        }

        return socket;
    }
}
