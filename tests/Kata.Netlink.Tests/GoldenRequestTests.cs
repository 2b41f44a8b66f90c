using System.Net;
using Kata.Netlink.Interop;

namespace Kata.Netlink.Tests;

/// <summary>What we send is what <c>ip</c> and <c>tc</c> send for the same thing, but for the order of attributes.</summary>
public sealed class GoldenRequestTests : IDisposable
{
    private readonly RecordingTransport _sent = new();
    private readonly NetlinkSocket _socket;

    public GoldenRequestTests() => _socket = new NetlinkSocket(_sent, new NetlinkOptions());

    public void Dispose() => _socket.Dispose(); // and its transport

    [Fact]
    public void Address_Add_IsAsIpSendsIt()
    {
        _socket.Addresses.Add(new InterfaceAddress
        {
            LinkIndex = 3,
            Local = IPPrefix.Parse("10.1.0.1/16"),
            Broadcast = IPAddress.Parse("10.1.255.255"),
            Label = "v0:x",
        });
        AssertSame<IfAddrMsg>("request-address", exceptOurs: [Rtnl.IFA_FLAGS]);
    }

    [Fact]
    public void Route_Add_IsAsIpSendsIt()
    {
        _socket.Routes.Add(new Route
        {
            Destination = IPPrefix.Parse("10.2.0.0/16"),
            Gateway = IPAddress.Parse("10.1.0.7"),
            LinkIndex = 3,
            Metric = 5,
            Table = 1000,
            Protocol = RouteProtocol.Static,
        });
        AssertSame<RtMsg>("request-route");
    }

    [Fact]
    public void Route_Delete_IsAsIpSendsIt()
    {
        _socket.Routes.Delete(new Route { Destination = IPPrefix.Parse("10.2.0.0/16"), Table = 1000, Type = RouteType.Unspecified });
        AssertSame<RtMsg>("request-route-del");
    }

    [Fact]
    public void Neighbour_Add_IsAsIpSendsIt()
    {
        _socket.Neighbours.Add(new Neighbour
        {
            LinkIndex = 3,
            Address = IPAddress.Parse("10.1.0.7"),
            LinkAddress = LinkAddress.Parse("02:00:00:00:00:07"),
        });
        AssertSame<NdMsg>("request-neighbour");
    }

    [Fact]
    public void Rule_Add_IsAsIpSendsIt()
    {
        _socket.Rules.Add(new RoutingRule
        {
            Family = IPFamily.IPv4,
            Priority = 100,
            Source = IPPrefix.Parse("10.0.0.0/8"),
            Table = 1000,
        });
        AssertSame<FibRuleHdr>("request-rule");
    }

    [Fact]
    public void Link_AddVeth_IsAsIpSendsIt()
    {
        _socket.Links.Add(new LinkSettings
        {
            Name = "w0",
            Mtu = 1400,
            Kind = new VethKind { Peer = new LinkSettings { Name = "w1" } },
        });

        // ip writes texts without their NUL and nested attributes without their flag, which the kernel takes as the same.
        List<object> ours = NetlinkMessages.Read(_sent.Last);
        List<object> theirs = NetlinkMessages.Read(Golden.Bytes("request-link"));
        Assert.Equal(theirs, ours);
        Assert.Equal(Peer(Golden.Bytes("request-link")), Peer(_sent.Last));
    }

    [Fact]
    public void Qdisc_AddTbf_MeansWhatTcSends()
    {
        _socket.Qdiscs.Add(new Qdisc { LinkIndex = 3, Kind = new TbfQdisc { Rate = 1_000_000, Burst = 10240, Limit = 30720 } });
        Assert.Equal(NetlinkMessages.Read(Golden.Bytes("request-qdisc")), NetlinkMessages.Read(_sent.Last));
    }

    [Fact]
    public void Filter_AddU32_MeansWhatTcSends()
    {
        _socket.Filters.Add(new TrafficFilter
        {
            LinkIndex = 3,
            Parent = TcHandle.IngressFilters,
            Kind = TrafficFilter.U32,
            Priority = 3,
            Actions = [new MirredAction { TargetIndex = 3 }],
        });
        var theirs = Assert.IsType<TrafficFilter>(Assert.Single(NetlinkMessages.Read(Golden.Bytes("request-filter"))));
        Assert.Equal(theirs, Assert.Single(NetlinkMessages.Read(_sent.Last)));
    }

    // The name in the settings of the other end.
    private static string Peer(byte[] datagram)
    {
        var messages = new MessageReader(datagram);
        Assert.True(messages.Read(out NetlinkMessage message));
        Assert.True(message.Attributes<IfInfoMsg>().Find(Rtnl.IFLA_LINKINFO, out NetlinkAttribute information));
        Assert.True(information.Nested.Find(Rtnl.IFLA_INFO_DATA, out NetlinkAttribute data));
        Assert.True(data.Nested.Find(Rtnl.VETH_INFO_PEER, out NetlinkAttribute peer));
        Assert.True(new AttributeReader(peer.Value[16..]).Find(Rtnl.IFLA_IFNAME, out NetlinkAttribute name));
        return name.Text();
    }

    private void AssertSame<T>(string golden, params ushort[] exceptOurs)
        where T : unmanaged
    {
        (string header, List<string> attributes) = Parts<T>(_sent.Last, exceptOurs);
        (string wantedHeader, List<string> wanted) = Parts<T>(Golden.Bytes(golden), []);
        Assert.Equal(wantedHeader, header);
        Assert.Equal(wanted, attributes);
    }

    private static (string Header, List<string> Attributes) Parts<T>(byte[] datagram, ushort[] except)
        where T : unmanaged
    {
        var messages = new MessageReader(datagram);
        Assert.True(messages.Read(out NetlinkMessage message));
        var list = new List<string>();
        AttributeReader attributes = message.Attributes<T>();
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            if (!except.Contains(attribute.Type))
            {
                list.Add($"{attribute.Type}: {Convert.ToHexString(attribute.Value)}");
            }
        }

        list.Sort(StringComparer.Ordinal);
        string header = Convert.ToHexString(message.Payload[..System.Runtime.CompilerServices.Unsafe.SizeOf<T>()]);
        return ($"{message.Type} {message.Flags:x} {header}", list);
    }
}
