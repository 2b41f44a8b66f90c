using Kata.Runtime.Cni;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Tests.Cni;

/// <summary>What a guest has otherwise than a chain's result says.</summary>
public sealed class ExpectedInterfaceTests
{
    private static readonly ExpectedInterface s_expected =
        new("eth1", "02:00:00:00:00:0A", ["10.1.0.2/24", "fd00::2/64"]);

    [Fact]
    public void DifferenceFrom_AGuestWithMore_IsNone() => Assert.Null(
        Difference("eth1", "02:00:00:00:00:0a", "fe80::1/64", "fd00::2/64", "10.1.0.2/24"));

    [Fact]
    public void DifferenceFrom_AResultWithoutAHardwareAddress_IsNone() =>
        Assert.Null((s_expected with { HardwareAddress = "" }).DifferenceFrom([Guest("eth1", "x", "10.1.0.2/24", "fd00::2/64")]));

    [Theory]
    [InlineData("the guest has no interface 'eth1'", "eth0", "02:00:00:00:00:0a", "10.1.0.2/24", "fd00::2/64")]
    [InlineData("'eth1' has the hardware address '02:00:00:00:00:0b' in the guest, not '02:00:00:00:00:0A'", "eth1", "02:00:00:00:00:0b")]
    [InlineData("'eth1' does not have the address '10.1.0.2/24' in the guest; it has none", "eth1", "02:00:00:00:00:0a")]
    [InlineData( // of another network
        "'eth1' does not have the address '10.1.0.2/24' in the guest; it has '10.1.0.2/16', 'fd00::2/64'",
        "eth1", "02:00:00:00:00:0a", "10.1.0.2/16", "fd00::2/64", "nonsense")]
    [InlineData(
        "'eth1' does not have the address 'fd00::2/64' in the guest; it has '10.1.0.2/24'", "eth1", "02:00:00:00:00:0a", "10.1.0.2/24")]
    public void DifferenceFrom_Another_SaysWhat(string expected, string name, string hardware, params string[] addresses) =>
        Assert.Equal(expected, Difference(name, hardware, addresses));

    [Fact]
    public void DifferenceFrom_AHostileGuest_IsShortAndPrintable()
    {
        string[] many = [.. Enumerable.Range(0, 10_000).Select(static number => $"10.7.{number / 256}.{number % 256}/24")];
        Assert.True(Difference("eth1", "02:00:00:00:00:0a", many)!.Length < 400);
        Assert.DoesNotContain('\u001b', Difference("eth1", "\u001b[2J" + new string('x', 100_000))!);
        Assert.True(Difference("eth1", new string('x', 100_000))!.Length < 400);
    }

    private static string? Difference(string name, string hardware, params string[] addresses) =>
        s_expected.DifferenceFrom([Guest("lo", ""), Guest(name, hardware, addresses)]);

    private static NetworkInterface Guest(string name, string hardware, params string[] addresses) =>
        new() { Name = name, HardwareAddress = hardware, Addresses = { addresses } };
}
