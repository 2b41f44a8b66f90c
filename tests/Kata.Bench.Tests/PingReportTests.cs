using Kata.Bench.Networks;

namespace Kata.Bench.Tests;

public sealed class PingReportTests
{
    [Fact]
    public void Parse_Answers_AreTheirTimesInTheirOrder() =>
        Assert.Equal([11.406, 0.879, 1], PingReport.Parse("""
            PING 10.88.0.2 (10.88.0.2): 56 data bytes
            64 bytes from 10.88.0.2: seq=0 ttl=64 time=11.406 ms
            64 bytes from 10.88.0.2: seq=1 ttl=64 time=0.879 ms
            64 bytes from 10.88.0.2: seq=3 ttl=64 time=1 ms

            --- 10.88.0.2 ping statistics ---
            4 packets transmitted, 3 packets received, 25% packet loss
            round-trip min/avg/max = 0.879/4.407/11.406 ms
            """));

    [Theory]
    [InlineData("")]
    [InlineData("1 packets transmitted, 0 packets received, 100% packet loss")]
    [InlineData("round-trip min/avg/max = 0.879/4.407/11.406 ms")]
    public void Parse_NoAnswer_IsRefused(string text) =>
        Assert.Throws<InvalidDataException>(() => PingReport.Parse(text));
}
