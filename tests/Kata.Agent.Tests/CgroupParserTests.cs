using Kata.Agent.Cgroups;
using Kata.Agent.Protocol;

namespace Kata.Agent.Tests;

public sealed class CgroupParserTests
{
    [Fact]
    public void ParseFlat_BadLines_AreSkipped()
    {
        Dictionary<string, ulong> values = CgroupParser.ParseFlat(
            "usage_usec 5\n\nx\n y 1\nneg -1\nbig 99999999999999999999999\nlimit max\ndup 1\ndup 2\n\0 1");
        Assert.Equal(5ul, values["usage_usec"]);
        Assert.Equal(ulong.MaxValue, values["limit"]);
        Assert.Equal(2ul, values["dup"]);
        Assert.DoesNotContain("neg", values.Keys);
        Assert.DoesNotContain("big", values.Keys);
    }

    [Theory]
    [InlineData("12\n", 12ul)]
    [InlineData("max\n", ulong.MaxValue)]
    [InlineData("", null)]
    [InlineData("-1", null)]
    [InlineData("1 2", null)]
    [InlineData("0x10", null)]
    public void ParseNumber_Texts_OrNull(string text, ulong? expected) => Assert.Equal(expected, CgroupParser.ParseNumber(text));

    [Fact]
    public void ParseIo_GoodAndBadLines_KeepsTheGood()
    {
        BlkioStats stats = CgroupParser.ParseIo(
            "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0 new=9\nx:y rbytes=1\n8 rbytes=1\n8:1\n8:2 rbytes= =5 rbytes\n");
        Assert.Equal([1ul, 2ul, 0ul], stats.IoServiceBytesRecursive.Select(static entry => entry.Value));
        Assert.Equal(["Read", "Write", "Discard"], stats.IoServicedRecursive.Select(static entry => entry.Op));
        Assert.All(stats.IoServicedRecursive, static entry => Assert.Equal(8ul, entry.Major));
    }

    [Fact]
    public void ParseInterfaces_ProcNetDev_WithoutLoopback()
    {
        const string Text =
            "Inter-| Receive | Transmit\n face |bytes packets\n"
            + "    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0:10 11 12 13 0 0 0 0 20 21 22 23 0 0 0 0\n bad: 1 2\n";
        NetworkStats stats = Assert.Single(CgroupParser.ParseInterfaces(Text));
        Assert.Equal(("eth0", 10ul, 13ul, 20ul, 23ul), (stats.Name, stats.RxBytes, stats.RxDropped, stats.TxBytes, stats.TxDropped));
    }
}
