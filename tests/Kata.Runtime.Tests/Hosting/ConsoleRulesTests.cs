using Kata.Runtime.Hosting;

namespace Kata.Runtime.Tests;

public sealed class ConsoleRulesTests
{
    [Theory]
    [InlineData(false, null, false)]
    [InlineData(false, null, true)]
    [InlineData(true, null, false)]
    [InlineData(true, "/console.sock", true)]
    public void Check_Sensible_IsSilent(bool terminal, string? socket, bool detached) =>
        ConsoleRules.Check(new ConsoleRequest(terminal, socket), detached);

    [Theory]
    [InlineData(true, null, true, "Give the option")]
    [InlineData(false, "/s", true, "Set process.terminal")]
    [InlineData(false, "/s", false, "Set process.terminal")]
    [InlineData(true, "/s", false, "Detach")]
    public void Check_Senseless_SaysWhatToDo(bool terminal, string? socket, bool detached, string remedy) =>
        Assert.Contains(
            remedy,
            Assert.Throws<ArgumentException>(() => ConsoleRules.Check(new ConsoleRequest(terminal, socket), detached)).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Check_NamedTerminal_IsEnough(bool detached) => ConsoleRules.Check(new ConsoleRequest(true, Path: "/dev/pts/0"), detached);

    [Theory]
    [InlineData(false, null, "the process has no terminal. Set process.terminal")]
    [InlineData(true, "/s", "'--console-socket' is given too. Give one of the two")]
    public void Check_NamedTerminalSenseless_SaysWhatToDo(bool terminal, string? socket, string end) =>
        Assert.Contains(end, Assert.Throws<ArgumentException>(() => ConsoleRules.Check(
            new ConsoleRequest(terminal, socket, "/dev/pts/0"), detached: true)).Message, StringComparison.Ordinal);
}
