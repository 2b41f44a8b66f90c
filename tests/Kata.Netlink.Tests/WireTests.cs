using System.Runtime.InteropServices;
using CsCheck;
using Kata.Netlink.Interop;

namespace Kata.Netlink.Tests;

/// <summary>Lengths, alignment and padding of messages and attributes.</summary>
public sealed class WireTests
{
    [Theory]
    [InlineData("00")] // no header
    [InlineData("1000000010000000000000000000")] // a header but for two bytes
    [InlineData("0f000000100000000000000000000000")] // shorter than its header
    [InlineData("00000000100000000000000000000000")]
    [InlineData("11000000100000000000000000000000")] // longer than what is there
    [InlineData("ffffffff100000000000000000000000")]
    [InlineData("20000000100000000000000000000000000000000000000000000000000000")] // an ifinfomsg but for a byte
    [InlineData("10000000100000000000000000000000")] // a link without its structure
    [InlineData("10000000020000000000000000000000")] // an error without a number
    [InlineData("1400000002000000000000000000000001000000")] // an error that is none
    [InlineData("140000000200000000000000000000000000f0ff")]
    [InlineData("14000000020000020000000000000000ffffffff")] // details of no request
    public void Read_ImpossibleMessage_IsRefused(string hex) =>
        Assert.Throws<NetlinkProtocolException>(() => NetlinkMessages.Read(Convert.FromHexString(hex)));

    [Theory]
    [InlineData("0300040000000000")] // an attribute shorter than its header
    [InlineData("0000040000000000")]
    [InlineData("0900040000000000")] // longer than what is there
    [InlineData("ffff040000000000")]
    [InlineData("0700040000000000")] // IFLA_MTU of three bytes
    [InlineData("0800170000000000")] // IFLA_STATS64 of four bytes
    [InlineData("08001200ffffffff")] // IFLA_LINKINFO with an impossible attribute in it
    [InlineData("2500010000000000000000000000000000000000000000000000000000000000000000000000000000000000")] // an address of 33 bytes
    public void Read_ImpossibleAttributeOfALink_IsRefused(string hex) =>
        Assert.Throws<NetlinkProtocolException>(() => ReadLink(Convert.FromHexString(hex)));

    [Fact]
    public void Read_LinkOfADevice_SaysWhichAndOnWhatBus()
    {
        const string Attributes = "11003800303030303a33623a30302e31000000000800390070636900";
        Link link = Assert.IsType<LinkEvent>(Assert.Single(ReadLink(Convert.FromHexString(Attributes)))).Link;
        Assert.Equal(("0000:3b:00.1", "pci"), (link.ParentDevice, link.ParentBus));
        link = Assert.IsType<LinkEvent>(Assert.Single(ReadLink([]))).Link;
        Assert.Equal((null, null), (link.ParentDevice, link.ParentBus));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("000000")]
    public void Read_FewerBytesThanAHeaderAtTheEnd_ArePadding(string hex) =>
        Assert.Equal("", Assert.IsType<LinkEvent>(Assert.Single(ReadLink(Convert.FromHexString(hex)))).Link.Name);

    [Theory]
    [InlineData(2, 33, "0a000000")] // IPv4 address of 33 bits
    [InlineData(10, 32, "0a000000")] // IPv4 address in a message of IPv6
    [InlineData(2, 8, "0a0000")] // an address of three bytes
    public void Read_AddressThatDoesNotFit_IsRefused(byte family, byte length, string address)
    {
        var message = new MessageWriter(Rtnl.RTM_NEWADDR, 0);
        message.Structure(new IfAddrMsg { ifa_family = family, ifa_prefixlen = length });
        message.Bytes(Rtnl.IFA_ADDRESS, Convert.FromHexString(address));
        byte[] bytes = message.Finish(0).ToArray();
        Assert.Throws<NetlinkProtocolException>(() => NetlinkMessages.Read(bytes));
    }

    [Theory]
    [InlineData("0700000000000000")] // shorter than its header
    [InlineData("0900000000000000")] // longer than what is there
    [InlineData("0c000000000000000500")] // the gateway's header is cut
    [InlineData("0c0000000000000003000500")] // the gateway is shorter than its header
    public void Read_ImpossibleNextHop_IsRefused(string hex)
    {
        var message = new MessageWriter(Rtnl.RTM_NEWROUTE, 0);
        message.Structure(new RtMsg { rtm_family = 2 });
        message.Bytes(Rtnl.RTA_MULTIPATH, Convert.FromHexString(hex));
        byte[] bytes = message.Finish(0).ToArray();
        Assert.Throws<NetlinkProtocolException>(() => NetlinkMessages.Read(bytes));
    }

    [Fact]
    public void Read_OtherFamilies_AreNothing()
    {
        var bridge = new MessageWriter(Rtnl.RTM_NEWNEIGH, 0);
        bridge.Structure(new NdMsg { ndm_family = 7 });
        var multicast = new MessageWriter(Rtnl.RTM_NEWROUTE, 0);
        multicast.Structure(new RtMsg { rtm_family = 128 });
        Assert.Empty(NetlinkMessages.Read([.. bridge.Finish(0), .. multicast.Finish(0)]));
    }

    [Fact]
    public void Attributes_OfEveryLength_AreAlignedAndReadAgain() => Gen.Byte.Array[0, 40].Array[0, 20].Sample(values =>
    {
        var message = new MessageWriter(Rtnl.RTM_NEWLINK, 0);
        message.Structure(default(IfInfoMsg));
        int nest = message.Begin(7);
        for (int i = 0; i < values.Length; i++)
        {
            message.Bytes((ushort)i, values[i]);
            Assert.Equal(0, message.Length % 4);
        }

        message.End(nest);
        message.UInt32(8, 42u);
        var reader = new MessageReader(message.Finish(9));
        Assert.True(reader.Read(out NetlinkMessage read));
        Assert.Equal((Rtnl.RTM_NEWLINK, Rtnl.NLM_F_REQUEST, 9u), (read.Type, read.Flags, read.Sequence));
        AttributeReader attributes = read.Attributes<IfInfoMsg>();
        Assert.True(attributes.Read(out NetlinkAttribute nested));
        Assert.Equal(7, nested.Type);
        AttributeReader inner = nested.Nested;
        for (int i = 0; i < values.Length; i++)
        {
            Assert.True(inner.Read(out NetlinkAttribute attribute));
            Assert.Equal(i, attribute.Type);
            Assert.Equal(values[i], attribute.Value.ToArray());
        }

        Assert.False(inner.Read(out _));
        Assert.True(attributes.Read(out NetlinkAttribute last));
        Assert.Equal(42u, last.UInt32());
        Assert.False(attributes.Read(out _));
        Assert.False(reader.Read(out _));
    });

    [Fact]
    public void Text_WithANul_IsRefused()
    {
        using var socket = new NetlinkSocket(new RecordingTransport(), new NetlinkOptions());
        ArgumentException error = Assert.Throws<ArgumentException>(() => socket.Links.Delete("a\0b"));
        Assert.Contains("'a\\0b'", error.Message);
    }

    [Fact]
    public void Text_LongerThanAnAttribute_IsRefused()
    {
        using var socket = new NetlinkSocket(new RecordingTransport(), new NetlinkOptions());
        Assert.Throws<ArgumentException>(() => socket.Links.Delete(new string('x', 70_000)));
    }

    [Fact]
    public void Nested_MoreThanAnAttributeMayHave_IsRefused()
    {
        using var socket = new NetlinkSocket(new RecordingTransport(), new NetlinkOptions());
        var hops = Enumerable.Repeat(new RouteNextHop { LinkIndex = 1 }, 9000).ToList();
        Assert.Throws<ArgumentException>(() => socket.Routes.Add(new Route { Destination = IPPrefix.AnyIPv4, NextHops = hops }));
    }

    [Fact]
    public void UInt16Network_OnTheWire_IsBigEndian()
    {
        var message = new MessageWriter(1, 0);
        message.UInt16Network(5, 0x8100);
        Assert.Equal("060005008100", Convert.ToHexString(message.Finish(0)[16..22]));
    }

    private static List<object> ReadLink(ReadOnlySpan<byte> attributes)
    {
        byte[] payload = new byte[16 + attributes.Length];
        attributes.CopyTo(payload.AsSpan(16));
        byte[] message = new byte[16 + payload.Length];
        MemoryMarshal.Write(message, new NlMsgHdr { nlmsg_len = (uint)message.Length, nlmsg_type = Rtnl.RTM_NEWLINK });
        payload.CopyTo(message, 16);
        return NetlinkMessages.Read(message);
    }
}
