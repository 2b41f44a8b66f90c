using CsCheck;

namespace Kata.Oci.Tests;

public sealed class SignalTests
{
    [Theory]
    [InlineData("SIGTERM", 15, "SIGTERM")]
    [InlineData("term", 15, "SIGTERM")]
    [InlineData("sigKill", 9, "SIGKILL")]
    [InlineData("15", 15, "SIGTERM")]
    [InlineData("1", 1, "SIGHUP")]
    [InlineData("64", 64, "SIGRTMAX")]
    [InlineData("32", 32, "32")]
    [InlineData("SIGRTMIN", 34, "SIGRTMIN")]
    [InlineData("SIGRTMIN+3", 37, "SIGRTMIN+3")]
    [InlineData("rtmax-1", 63, "SIGRTMIN+29")]
    [InlineData("RTMIN+30", 64, "SIGRTMAX")]
    [InlineData("SIGIOT", 6, "SIGABRT")]
    [InlineData("SIGCLD", 17, "SIGCHLD")]
    [InlineData("POLL", 29, "SIGIO")]
    [InlineData("WINCH", 28, "SIGWINCH")]
    [InlineData("SYS", 31, "SIGSYS")]
    public void Parse_NameOrNumber_GivesBoth(string text, int number, string name)
    {
        Signal signal = Signal.Parse(text);

        Assert.Equal((number, name), (signal.Number, signal.Name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("65")]
    [InlineData("-9")]
    [InlineData("+9")]
    [InlineData("99999999999999999999")]
    [InlineData("SIG")]
    [InlineData("SIGSIGTERM")]
    [InlineData("SIG9")]
    [InlineData("RTMIN+31")]
    [InlineData("RTMIN-1")]
    [InlineData("RTMAX+1")]
    [InlineData("RTMAX-31")]
    [InlineData("TERM ")]
    [InlineData("TERM\0")]
    [InlineData("９")]
    public void Parse_Other_SaysWhatMayBeUsed(string text) =>
        Assert.Contains(
            "a number from 1 to 64", Assert.Throws<InvalidSpecException>(() => Signal.Parse(text)).Remedy, StringComparison.Ordinal);

    [Fact]
    public void Parse_NameOfAnyNumber_GivesTheNumber() =>
        Gen.Int[1, 64].Sample(number => Signal.Parse(Signal.Parse($"{number}").Name).Number == number);
}
