namespace Kata.Linux.Tests;

public sealed class ProcessThreadsTests
{
    [Theory]
    [InlineData("NSpid:\t1234", 1234)]
    [InlineData("NSpid:\t1234\t77\t2", 2)]
    [InlineData("NSpid:\t", null)]
    [InlineData("NSpid:\tx", null)]
    [InlineData("Pid:\t12", null)]
    public void IdInside_Status_IsTheInnermostId(string line, int? expected) =>
        Assert.Equal(expected, ProcessThreads.IdInside(["Name:\tqemu", line, "NSpgid:\t9"]));

    [Fact]
    public void Find_OwnThreads_FindsThoseThatThereAre() =>
        Assert.Equal(
            [Environment.ProcessId], ProcessThreads.Find(Environment.ProcessId, new HashSet<int> { Environment.ProcessId, int.MaxValue }));

    [Fact]
    public void Score_OfAProcess_CanBeRaisedAndRead()
    {
        ChildProcess child =
            ChildProcess.Start(new SpawnOptions { Path = "/bin/sleep", Arguments = ["sleep", "1000"], Environment = [] });
        try
        {
            OomScore.Write(child.Pid, 700);
            Assert.Equal(700, OomScore.Read(child.Pid));
            Assert.Throws<LinuxException>(() => OomScore.Write(child.Pid, OomScore.Highest + 1));
        }
        finally
        {
            child.Kill(Signals.SIGKILL);
        }
    }
}
