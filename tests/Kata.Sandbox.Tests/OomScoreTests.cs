namespace Kata.Sandbox.Tests;

public sealed class OomScoreTests
{
    [Fact]
    public void OomScoreOf_NoWorkingContainer_LeavesTheMachineAsItIs() => Assert.Null(OomPriority.ScoreOf([], -998));

    [Fact]
    public void OomScoreOf_SeveralContainers_IsThatOfTheMostProtected()
    {
        Assert.Equal(500, OomPriority.ScoreOf([500, 900], 0));
        Assert.Equal(-997, OomPriority.ScoreOf([1000, -997], 0));
    }

    [Theory]
    [InlineData(-998, 0)] // what containerd protects itself with is not for a machine
    [InlineData(0, 0)]
    [InlineData(200, 200)]
    public void OomScoreOf_NothingAskedFor_IsNeverProtected(int inherited, int expected)
    {
        Assert.Equal(expected, OomPriority.ScoreOf([null], inherited));
        Assert.Equal(expected, OomPriority.ScoreOf([null, 1000], inherited));
    }
}
