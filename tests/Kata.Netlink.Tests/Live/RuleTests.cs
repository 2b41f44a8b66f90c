using System.Text.Json;
using Kata.Testing;

namespace Kata.Netlink.Tests.Live;

/// <summary>Rules of the running kernel, compared with what <c>ip</c> says.</summary>
public sealed class RuleTests : IDisposable
{
    private readonly TestNetwork _network = TestNetwork.Create();

    private RuleOperations Rules => _network.Socket.Rules;

    public void Dispose() => _network.Dispose();

    [Fact]
    public void Add_WithEverything_IsAsIpSaysAndIsReadAgain()
    {
        var rule = new RoutingRule
        {
            Family = IPFamily.IPv4,
            Priority = 100,
            Source = IPPrefix.Parse("10.0.0.0/8"),
            Destination = IPPrefix.Parse("192.0.2.0/24"),
            InputLink = "eth0",
            Mark = 0x10,
            MarkMask = 0xff,
            IPProtocol = 6,
            SourcePorts = new PortRange(1000, 2000),
            DestinationPorts = new PortRange(80, 80),
            Users = new UserRange(5, 9),
            Table = 1000,
            SuppressedPrefixLength = 0,
            Protocol = RouteProtocol.Static,
        };
        Rules.Add(rule);

        JsonElement json = Assert.Single(_network.Json("ip -json rule show pref 100"));
        Assert.Equal(("10.0.0.0", 8, "192.0.2.0", "eth0", "0x10", "0xff"), (
            Text(json, "src"), json.GetProperty("srclen").GetInt32(), Text(json, "dst"), Text(json, "iif"), Text(json, "fwmark"),
            Text(json, "fwmask")));
        Assert.Equal(("tcp", "1000", 5, 9, "1000"), (
            Text(json, "ipproto"), json.GetProperty("sport_start").GetRawText(), json.GetProperty("uid_start").GetInt32(),
            json.GetProperty("uid_end").GetInt32(), Text(json, "table")));
        Assert.Equal(rule, Rules.List(IPFamily.IPv4).Single(static item => item.Priority == 100));
    }

    [Theory]
    [InlineData(RuleAction.Blackhole, "blackhole")]
    [InlineData(RuleAction.Unreachable, "unreachable")]
    [InlineData(RuleAction.Prohibit, "prohibit")]
    public void Add_OtherAction_IsAsIpSays(RuleAction action, string name)
    {
        Rules.Add(new RoutingRule { Family = IPFamily.IPv6, Priority = 100, Action = action });
        Assert.Equal(name, Text(Assert.Single(_network.Json("ip -6 -json rule show pref 100")), "action"));
    }

    [Fact]
    public void Add_GotoAndNot_AreReadAgain()
    {
        var inverted = new RoutingRule
        {
            Family = IPFamily.IPv4,
            Priority = 200,
            IsInverted = true,
            OutputLink = "eth0",
            Table = RouteTables.Main,
            Protocol = RouteProtocol.Unspecified,
        };
        Rules.Add(inverted);
        Rules.Add(new RoutingRule { Family = IPFamily.IPv4, Priority = 100, Action = RuleAction.Goto, Target = 200 });
        Assert.Equal(inverted, Find(200));
        Assert.Equal((RuleAction.Goto, 200u), (Find(100).Action, Find(100).Target));
    }

    [Fact]
    public void List_Untouched_HasTheRulesOfEveryNamespace()
    {
        Assert.Equal([0u, 32766u, 32767u], Rules.List(IPFamily.IPv4).Select(static rule => rule.Priority));
        Assert.Equal(
            [RouteTables.Local, RouteTables.Main, RouteTables.Default], Rules.List(IPFamily.IPv4).Select(static rule => rule.Table));
        Assert.Equal(Rules.List(IPFamily.IPv4).Count + Rules.List(IPFamily.IPv6).Count, Rules.List().Count);
    }

    [Fact]
    public void Delete_RuleAsItWasRead_RemovesThatOne()
    {
        _network.Run("ip rule add pref 100 from 10.0.0.0/8 table 77; ip rule add pref 100 from 10.0.0.0/8 table 78");
        Rules.Delete(Rules.List().Single(static rule => rule.Table == 78));
        Assert.Equal(77u, Find(100).Table);
        Rules.Delete(new RoutingRule { Family = IPFamily.IPv4, Priority = 100, Action = RuleAction.Unspecified });
        NetlinkException error = Assert.Throws<NetlinkException>(
            () => Rules.Delete(new RoutingRule { Family = IPFamily.IPv4, Priority = 100, Table = 77 }));
        Assert.Equal(
            (NetlinkErrno.ENOENT, "Cannot delete the rule '100: from all to all table 77': No such file or directory (ENOENT)"),
            (error.Errno, error.Message));
    }

    private RoutingRule Find(uint priority) => Rules.List().Single(rule => rule.Priority == priority);

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}
