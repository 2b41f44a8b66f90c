using System.Net;
using CsCheck;

namespace Kata.Netlink.Tests;

public sealed class ValueTests
{
    [Theory]
    [InlineData("02:00:00:00:00:01", "02:00:00:00:00:01")]
    [InlineData("AA-bb-CC-dd-EE-ff", "aa:bb:cc:dd:ee:ff")]
    [InlineData("0a", "0a")]
    public void LinkAddress_Text_IsRead(string text, string expected) => Assert.Equal(expected, LinkAddress.Parse(text).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("2:0")]
    [InlineData("02:00:")]
    [InlineData("02:00-00")]
    [InlineData("02;00")]
    [InlineData("0x:00")]
    [InlineData(" 2:00")]
    [InlineData("-2:00")]
    public void LinkAddress_OtherText_IsRefused(string? text) => Assert.False(LinkAddress.TryParse(text, out _));

    [Fact]
    public void LinkAddress_Parse_SaysHowToWriteIt() =>
        Assert.Contains("02:00:00:00:00:01", Assert.Throws<FormatException>(() => LinkAddress.Parse("xx")).Message);

    [Fact]
    public void LinkAddress_TooLong_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new LinkAddress(new byte[33]));
        Assert.False(LinkAddress.TryParse(string.Join(':', Enumerable.Repeat("00", 33)), out _));
    }

    [Fact]
    public void LinkAddress_AnyBytes_SurviveTheirText() => Gen.Byte.Array[1, LinkAddress.MaxLength].Sample(bytes =>
    {
        var address = new LinkAddress(bytes);
        Assert.Equal(address, LinkAddress.Parse(address.ToString()));
        Assert.Equal(address.GetHashCode(), LinkAddress.Parse(address.ToString()).GetHashCode());
    });

    [Theory]
    [InlineData("10.0.0.7/24", "10.0.0.7/24")]
    [InlineData("10.0.0.7", "10.0.0.7/32")]
    [InlineData("::/0", "::/0")]
    [InlineData("fd00::7", "fd00::7/128")]
    [InlineData("fe80::1%3/64", "fe80::1/64")]
    public void IPPrefix_Text_IsRead(string text, string expected) => Assert.Equal(expected, IPPrefix.Parse(text).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("::/129")]
    [InlineData("x/8")]
    public void IPPrefix_OtherText_IsRefused(string? text) => Assert.False(IPPrefix.TryParse(text, out _));

    [Fact]
    public void IPPrefix_Default_IsTheDefaultRouteOfIPv4() => Assert.Equal(IPPrefix.AnyIPv4, default);

    [Fact]
    public void IPPrefix_TooLong_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new IPPrefix(IPAddress.Loopback, 33));

    [Fact]
    public void TcHandle_Text_IsHexadecimal() => Assert.Equal("1:1f", new TcHandle(1, 31).ToString());

    [Fact]
    public void NextHops_OfARoute_AreACopyAndCompareByTheirItems()
    {
        var hops = new List<RouteNextHop> { new() { LinkIndex = 1 } };
        var route = new Route { Destination = IPPrefix.AnyIPv4, NextHops = hops };
        hops.Add(new RouteNextHop());
        Assert.Single(route.NextHops);
        Assert.Equal(route with { NextHops = [new RouteNextHop { LinkIndex = 1 }] }, route);
        Assert.NotEqual(route with { NextHops = [] }, route);
    }
}
