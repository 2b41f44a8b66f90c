using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>Traffic control of the running kernel, compared with what <c>tc</c> says.</summary>
public sealed class TrafficControlTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();
    private readonly Link _link;

    public TrafficControlTests() => _link = _network.AddPair("v0", "v1");

    private NetlinkSocket Socket => _network.Socket;

    public void Dispose() => _network.Dispose();

    [Theory]
    [InlineData("pfifo_fast")]
    [InlineData("pfifo")]
    [InlineData("noqueue")]
    public void Replace_PlainQdisc_IsAsTcSays(string kind)
    {
        Socket.Qdiscs.Replace(new Qdisc { LinkIndex = _link.Index, Kind = new PlainQdisc(kind) });
        Assert.Equal(kind, Assert.Single(_network.Json("tc -json qdisc show dev v0")).GetProperty("kind").GetString());
        Assert.Equal(new PlainQdisc(kind), Assert.Single(Socket.Qdiscs.List(_link.Index)).Kind);
    }

    [Fact]
    public void Add_Tbf_IsAsTcSaysAndIsReadAgain()
    {
        var tbf = new TbfQdisc { Rate = 1_000_000, Burst = 10_000, Limit = 30_000 };
        Socket.Qdiscs.Add(new Qdisc { LinkIndex = _link.Index, Kind = tbf });
        JsonElement options = Assert.Single(_network.Json("tc -json qdisc show dev v0")).GetProperty("options");
        Assert.Equal((1_000_000, 10_000, 20_000), (
            options.GetProperty("rate").GetInt32(), options.GetProperty("burst").GetInt32(), options.GetProperty("lat").GetInt32()));
        Assert.Equal(tbf, Assert.Single(Socket.Qdiscs.List(_link.Index)).Kind);
    }

    [Fact]
    public void Add_HtbWithClasses_IsAsTcSays()
    {
        var qdisc = new Qdisc { LinkIndex = _link.Index, Handle = new TcHandle(1, 0), Kind = new HtbQdisc { DefaultClass = 0x20 } };
        Socket.Qdiscs.Add(qdisc);
        Assert.Equal(qdisc, Assert.Single(Socket.Qdiscs.List(_link.Index)));
        var ten = new TrafficClass
        {
            LinkIndex = _link.Index,
            Parent = qdisc.Handle,
            Handle = new TcHandle(1, 0x10),
            Rate = 1_000_000,
            Ceiling = 2_000_000,
            Burst = 16_000,
            CeilingBurst = 32_000,
            Priority = 2,
        };
        Socket.Classes.Add(ten);
        Socket.Classes.Add(new TrafficClass
        {
            LinkIndex = _link.Index,
            Parent = qdisc.Handle,
            Handle = new TcHandle(1, 0x20),
            Rate = 10_000_000_000,
        });

        TrafficClass read = Socket.Classes.List(_link.Index).Single(item => item.Handle == ten.Handle);
        Assert.Equal(ten with { Quantum = read.Quantum }, read with { Parent = ten.Parent });
        string text = _network.Run("tc class show dev v0");
        Assert.Contains("class htb 1:10 root prio 2 rate 8Mbit ceil 16Mbit burst 16000b cburst 32000b", text);
        Assert.Contains("rate 80Gbit", text);
        Assert.Equal(10_000_000_000ul, Socket.Classes.List(_link.Index).Single(static item => item.Handle.Minor == 0x20).Rate);

        Socket.Classes.Replace(ten with { Rate = 500_000 });
        Assert.Equal(500_000ul, Socket.Classes.List(_link.Index).Single(item => item.Handle == ten.Handle).Rate);
        Socket.Classes.Delete(ten);
        Assert.Single(Socket.Classes.List(_link.Index));
        Socket.Qdiscs.Delete(qdisc);
        Assert.Empty(Socket.Classes.List(_link.Index));
    }

    [Fact]
    public void Add_QdiscThatNobodyKnows_IsRefusedWithTheKernelsWords()
    {
        NetlinkException error = Assert.Throws<NetlinkException>(
            () => Socket.Qdiscs.Add(new Qdisc { LinkIndex = _link.Index, Kind = new PlainQdisc("nonsense") }));
        Assert.Equal(
            $"Cannot add the qdisc 'nonsense of link {_link.Index}': Specified qdisc kind is unknown: No such file or directory (ENOENT)",
            error.Message);
    }

    [Fact]
    public void Add_FilterForBothDirections_IsAsTcSaysAndGoesAgain()
    {
        Socket.Qdiscs.Add(new Qdisc { LinkIndex = _link.Index, Kind = PlainQdisc.ClsAct, Parent = TcHandle.Ingress });
        TrafficFilter filter = Usable(new TrafficFilter
        {
            LinkIndex = _link.Index,
            Parent = TcHandle.EgressFilters,
            Priority = 5,
            Protocol = 0x0800,
            Actions =
            [
                new MirredAction { TargetIndex = _link.Parent!.Value, Direction = MirredDirection.EgressMirror },
                new MirredAction { TargetIndex = _link.Parent!.Value },
            ],
        });
        Assert.Empty(Socket.Filters.List(_link.Index, TcHandle.IngressFilters));
        TrafficFilter read = Socket.Filters.List(_link.Index, TcHandle.EgressFilters).Single(static item => item.Actions.Count > 0);
        Assert.Equal((filter.Kind, 5, 0x0800), (read.Kind, read.Priority, read.Protocol));
        Assert.Equal(filter.Actions, read.Actions);
        string text = _network.Run("tc filter show dev v0 egress");
        Assert.Contains("filter protocol ip pref 5", text);
        Assert.Contains("mirred (Egress Mirror to device v1) pipe", text);
        Assert.Contains("mirred (Egress Redirect to device v1) stolen", text);

        Socket.Filters.Delete(filter);
        Assert.Empty(Socket.Filters.List(_link.Index, TcHandle.EgressFilters));
        NetlinkException error = Assert.Throws<NetlinkException>(() => Socket.Filters.Delete(filter));
        Assert.Equal(NetlinkErrno.ENOENT, error.Errno);
    }

    // A namespace at each end; between them two links that know of each other only by their filters.
    [Theory]
    [InlineData("")]
    [InlineData("tc qdisc add dev left0 clsact; tc qdisc add dev right0 ingress")]
    public async Task Redirect_BothDirections_PassesPackets(string before)
    {
        using TestNetwork left = TestNetwork.Create();
        using TestNetwork right = TestNetwork.Create();
        Link near = Connect(left, "left0", "10.0.0.1/24");
        Link far = Connect(right, "right0", "10.0.0.2/24");
        _network.Run(before.Length > 0 ? before : "true");

        Socket.Filters.Redirect(near.Index, far.Index);
        Socket.Filters.Redirect(far.Index, near.Index);

        using UdpClient server = right.Inside(static () => new UdpClient(new IPEndPoint(IPAddress.Any, 4711)));
        using UdpClient client = left.Inside(static () => new UdpClient(0));
        client.Send("ping"u8.ToArray(), "10.0.0.2", 4711);
        UdpReceiveResult request = await server.ReceiveAsync().Within();
        Assert.Equal("10.0.0.1", request.RemoteEndPoint.Address.ToString());
        server.Send("pong"u8, request.RemoteEndPoint);
        Assert.Equal("pong"u8.ToArray(), (await client.ReceiveAsync().Within()).Buffer);

        TrafficFilter filter = Socket.Filters.List(near.Index, TcHandle.IngressFilters).Single(static item => item.Actions.Count > 0);
        Assert.Equal([new MirredAction { TargetIndex = far.Index }], filter.Actions);
    }

    [Theory]
    [InlineData("ingress")]
    [InlineData("clsact")]
    public void Redirect_QdiscIsThere_KeepsItAndItsFilters(string kind)
    {
        _network.Run(
            $"""
            tc qdisc add dev v0 {kind}
            tc filter add dev v0 ingress protocol ip pref 10 u32 match ip dport 4712 0xffff action mirred egress redirect dev v1
            """);
        Socket.Filters.Redirect(_link.Index, _link.Parent!.Value);
        Assert.Contains($"qdisc {kind} ffff:", _network.Run("tc qdisc show dev v0"));
        Assert.Equal(
            [10, 49152],
            Socket.Filters.List(_link.Index, TcHandle.IngressFilters)
                .Where(static item => item.Actions.Count > 0)
                .Select(static item => item.Priority));
    }

    private TrafficFilter Usable(TrafficFilter filter)
    {
        try
        {
            Socket.Filters.Add(filter);
            return filter;
        }
        catch (NetlinkException error) when (error.Errno == NetlinkErrno.ENOENT) // a kernel without matchall
        {
            filter = filter with { Kind = TrafficFilter.U32 };
            Socket.Filters.Add(filter);
            return filter;
        }
    }

    private Link Connect(TestNetwork end, string name, string address)
    {
        Socket.Links.Add(new LinkSettings
        {
            Name = name,
            SetFlags = LinkFlags.Up,
            Kind = new VethKind { Peer = new LinkSettings { Name = "eth0", NetworkNamespace = end.Handle } },
        });
        int index = end.Socket.Links.Get("eth0").Index;
        end.Socket.Links.SetUp(index);
        end.Socket.Addresses.Add(new InterfaceAddress { LinkIndex = index, Local = IPPrefix.Parse(address) });
        return Socket.Links.Get(name);
    }
}
