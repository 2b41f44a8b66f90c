using System.Text;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Tests;

public sealed class ReadinessReportTests
{
    [Theory]
    [InlineData("READY=1", "READY=1\n")]
    [InlineData("READY=1\nSTATUS=x", "READY=1\n")]
    [InlineData("STATUS=x\nREADY=1\nMAINPID=1\n", "READY=1\n")]
    [InlineData("MAINPID=1", null)]
    [InlineData("STATUS=READY=1", null)]
    [InlineData("", null)]
    [InlineData("\0\uFFFD", null)]
    public void ReadyLine_Datagrams_GiveThatLineAndNothingElse(string datagram, string? expected) =>
        Assert.Equal(
            expected, ReadinessReport.ReadyLine(Encoding.UTF8.GetBytes(datagram)) is { } line ? Encoding.UTF8.GetString(line) : null);
}
