using Kata.Bench.Networks;

namespace Kata.Bench.Tests;

/// <summary>What is read in the reports of iperf3, which are shortened ones of 3.12.</summary>
public sealed class IperfReportTests
{
    [Fact]
    public void Parse_Tcp_IsWhatTheReceiverGot()
    {
        IperfReport report = IperfReport.Parse("""
            {
              "start": { "version": "iperf 3.12" },
              "intervals": [],
              "end": {
                "streams": [],
                "sum_sent": { "bytes": 2374631424, "bits_per_second": 18992037494.1, "retransmits": 1451, "sender": true },
                "sum_received": { "seconds": 1.0002, "bytes": 1250000000, "bits_per_second": 9999500000.5, "sender": true }
              }
            }
            """);

        Assert.Equal(9999.5000005, report.MegabitsPerSecond, 1e-6);
        Assert.Null(report.LossPercent);
    }

    // 3.12 has three sums for datagrams, 3.9 only the first.
    [Theory]
    [InlineData("")]
    [InlineData(""", "sum_received": { "bits_per_second": 1, "lost_percent": 0 }""")]
    public void Parse_Datagrams_HasTheLossOfTheSum(string others)
    {
        IperfReport report = IperfReport.Parse($$"""
            { "end": { "sum": { "bits_per_second": 95000000, "lost_packets": 431, "packets": 8626, "lost_percent": 4.9965 }{{others}} } }
            """);

        Assert.Equal(95, report.MegabitsPerSecond, 1e-9);
        Assert.Equal(4.9965, report.LossPercent!.Value, 1e-9);
    }

    [Fact]
    public void Parse_TestThatFailed_SaysWhy()
    {
        var error = Assert.Throws<InvalidDataException>(() => IperfReport.Parse("""
            { "start": { "connected": [] }, "intervals": [], "end": {}, "error": "unable to connect to server: Connection refused" }
            """));

        Assert.Contains("unable to connect to server: Connection refused", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("iperf3: error - unable to connect")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{ "end": 1 }""")]
    [InlineData("""{ "end": {} }""")]
    [InlineData("""{ "end": { "sum_received": {} } }""")]
    [InlineData("""{ "end": { "sum_received": { "bits_per_second": "1" } } }""")]
    [InlineData("""{ "end": { "sum": { "bits_per_second": 1 } } }""")]
    public void Parse_WhatIsNoReport_IsRefused(string text) =>
        Assert.Throws<InvalidDataException>(() => IperfReport.Parse(text));
}
