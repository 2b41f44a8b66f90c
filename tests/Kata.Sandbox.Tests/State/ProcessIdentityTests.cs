namespace Kata.Sandbox.Tests;

public sealed class ProcessIdentityTests
{
    private const string Fields = "1 1 1 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0";

    [Theory]
    [InlineData("42 (sh) S " + Fields + " 987654 1000 10", true, 'S', 987654ul)]
    [InlineData("42 (a b) c) Z " + Fields + " 1 2", true, 'Z', 1ul)]
    [InlineData("42 (((()) R " + Fields + " 18446744073709551615", true, 'R', ulong.MaxValue)]
    [InlineData("42 () X " + Fields + " 5 0\n", true, 'X', 5ul)]
    [InlineData("42 (S 1 2 3) D " + Fields + " 7 (x)", false, '\0', 0ul)]
    [InlineData("42 (sh) S " + Fields, false, 'S', 0ul)]
    [InlineData("42 (sh) S " + Fields + " -5", false, 'S', 0ul)]
    [InlineData("42 (sh)", false, '\0', 0ul)]
    [InlineData("42 (sh) ", false, '\0', 0ul)]
    [InlineData("", false, '\0', 0ul)]
    [InlineData("no brackets at all", false, '\0', 0ul)]
    public void TryParseStat_Table(string stat, bool parsed, char state, ulong start)
    {
        Assert.Equal(parsed, ProcessIdentity.TryParseStat(stat, out char foundState, out ulong foundStart));
        if (parsed)
        {
            Assert.Equal((state, start), (foundState, foundStart));
        }
    }

    [Fact]
    public void Of_ThisProcess_IsAliveAndTheSame()
    {
        ProcessIdentity identity = ProcessIdentity.Of(Environment.ProcessId)!;
        Assert.True(identity.IsAlive());
        Assert.False((identity with { StartTime = identity.StartTime + 1 }).IsAlive());
    }

    [Fact]
    public void Of_NoSuchProcess_IsNull() => Assert.Null(ProcessIdentity.Of(int.MaxValue));
}
