using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>Frames between a card and the peer of its pod.</summary>
internal static class Traffic
{
    private const int Port = 4711;
    private const int Datagrams = 150; // all of them may wait
    private const int DatagramBytes = 1000;

    /// <summary>Who has the address is asked and told, and then a word goes in each direction.</summary>
    public static async Task TalkAsync(Pod pod, Card card)
    {
        using UdpClient peer = Bind(pod);
        byte[] mac = Ask(peer, card);
        card.WriteText(mac, Pod.Address, Pod.PeerAddress, Port, "pong");
        UdpReceiveResult answer = await peer.ReceiveAsync().Within();
        Assert.Equal("pong"u8.ToArray(), answer.Buffer);
        Assert.Equal(new IPEndPoint(IPAddress.Parse(Pod.Address), Port), answer.RemoteEndPoint);
    }

    /// <summary>The same where the namespace's own stack hears what is sent to all, and so tells the interface's address itself.</summary>
    public static async Task TalkBesideOwnStackAsync(Pod pod, Card card)
    {
        using UdpClient peer = Bind(pod);
        peer.Send("ping"u8.ToArray(), Pod.Address, Port);
        Assert.Equal("ping", card.ReadText());
        card.WriteText([.. pod.Peer.Socket.Links.Get("peer0").Address.Bytes], Pod.Address, Pod.PeerAddress, Port, "pong");
        Assert.Equal("pong"u8.ToArray(), (await peer.ReceiveAsync().Within()).Buffer);
    }

    /// <summary>150,000 bytes and their headers, from the peer's first datagram to the card's last.</summary>
    public static async Task<TimeSpan> ReceiveAsync(Pod pod, Card card)
    {
        using UdpClient peer = Bind(pod);
        _ = Ask(peer, card);
        var watch = Stopwatch.StartNew();
        byte[] datagram = new byte[DatagramBytes];
        for (int i = 0; i < Datagrams; i++)
        {
            await peer.SendAsync(datagram, Pod.Address, Port, TestContext.Current.CancellationToken);
        }

        for (int i = 0; i < Datagrams; i++)
        {
            Assert.Equal(DatagramBytes, card.ReadText().Length);
        }

        return watch.Elapsed;
    }

    /// <summary>As many, from the card's first datagram to the peer's last.</summary>
    public static async Task<TimeSpan> SendAsync(Pod pod, Card card)
    {
        using UdpClient peer = Bind(pod);
        peer.Client.ReceiveBufferSize = 1 << 20;
        byte[] mac = [.. pod.Peer.Socket.Links.Get("peer0").Address.Bytes];
        string text = new('x', DatagramBytes);
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < Datagrams; i++)
        {
            card.WriteText(mac, Pod.Address, Pod.PeerAddress, Port, text);
        }

        for (int i = 0; i < Datagrams; i++)
        {
            Assert.Equal(DatagramBytes, (await peer.ReceiveAsync().Within()).Buffer.Length);
        }

        return watch.Elapsed;
    }

    private static UdpClient Bind(Pod pod) => pod.Peer.Inside(static () => new UdpClient(new IPEndPoint(IPAddress.Any, Port)));

    // The peer's hardware address.
    private static byte[] Ask(UdpClient peer, Card card)
    {
        peer.Send("ping"u8.ToArray(), Pod.Address, Port);
        (byte[] mac, string asking, string wanted) = card.ReadArpRequest();
        Assert.Equal((Pod.PeerAddress, Pod.Address), (asking, wanted));
        card.AnswerArp(mac, asking, wanted);
        Assert.Equal("ping", card.ReadText());
        return mac;
    }
}
