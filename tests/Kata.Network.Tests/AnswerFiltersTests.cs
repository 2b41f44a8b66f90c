using System.Net;
using System.Net.Sockets;
using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>Answers of name servers beside an interface whose frames are the guest's, in the running kernel.</summary>
[Collection(nameof(ProcessGroup))]
public sealed class AnswerFiltersTests : IDisposable
{
    private const int NamePort = 53, FirstPort = 61440;

    private readonly Pod _pod = new();

    public void Dispose() => _pod.Dispose();

    // Nobody has asked for the peer's hardware address before: that answer has to arrive, too.
    [Fact]
    public async Task Put_NamespaceAsksANameServer_HasTheAnswerAndTheGuestHasTheRest()
    {
        string before = _pod.TrafficControl;
        string range = Range();
        using Tap tap = Endpoint.Attach(_pod.Space, _pod.Plan, queues: 1);
        Assert.Equal(range, AnswerFilters.TakePorts(_pod.Space));
        AnswerFilters.Put(_pod.Space, _pod.Plan.LinkIndex, tap.Index);

        using UdpClient server = _pod.Peer.Inside(static () => new UdpClient(new IPEndPoint(IPAddress.Any, NamePort)));
        using UdpClient client = _pod.Network.Inside(static () => new UdpClient(new IPEndPoint(IPAddress.Parse(Pod.Address), 0)));
        client.Connect(Pod.PeerAddress, NamePort);
        client.Send("question"u8);
        UdpReceiveResult question = await server.ReceiveAsync().Within();
        Assert.InRange(question.RemoteEndPoint.Port, FirstPort, ushort.MaxValue);

        // What is not for such a port, or not of a name server, is the guest's.
        using UdpClient low = _pod.Network.Inside(static () => new UdpClient(new IPEndPoint(IPAddress.Any, FirstPort - 1)));
        using UdpClient high = _pod.Network.Inside(static () => new UdpClient(new IPEndPoint(IPAddress.Any, FirstPort)));
        using UdpClient other = _pod.Peer.Inside(static () => new UdpClient(0));
        server.Send("for the guest"u8, Pod.Address, FirstPort - 1);
        other.Send("for the guest"u8, Pod.Address, FirstPort);
        server.Send("answer"u8, question.RemoteEndPoint);
        Assert.Equal("answer"u8.ToArray(), (await client.ReceiveAsync().Within()).Buffer);
        Assert.Equal((0, 0), (low.Available, high.Available));

        using TcpListener listener = _pod.Peer.Inside(static () => new TcpListener(IPAddress.Any, NamePort));
        listener.Start();
        using TcpClient stream = _pod.Network.Inside(static () => new TcpClient(AddressFamily.InterNetwork));
        await stream.ConnectAsync(Pod.PeerAddress, NamePort).Within();

        tap.Dispose();
        Endpoint.Detach(_pod.Space, _pod.Plan.LinkIndex);
        Assert.Equal(before, _pod.TrafficControl);
        AnswerFilters.SetPorts(_pod.Space, range);
        Assert.Equal(range, Range());
    }

    [Fact]
    public void Put_LinkIsGone_SaysSo()
    {
        NetworkException error = Assert.Throws<NetworkException>(() => AnswerFilters.Put(_pod.Space, 4711, 4712));
        Assert.StartsWith($"Cannot let the name server in '{_pod.Space.Path}' have its answers: ", error.Message);
    }

    private string Range() => _pod.Network.Run("cat /proc/sys/net/ipv4/ip_local_port_range").Trim();
}
