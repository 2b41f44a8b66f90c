namespace Kata.Linux.Tests;

public sealed class IdleThreadTests
{
    [Fact]
    public void Id_WhileItLives_LeadsToThisProcessAndNotAfterwards()
    {
        string task;
        var one = new IdleThread();
        using (one)
        using (var other = new IdleThread())
        {
            task = $"/proc/{one.Id}";
            Assert.NotEqual(one.Id, other.Id);
            Assert.NotEqual(Environment.ProcessId, one.Id);
            Assert.Contains($"Tgid:\t{Environment.ProcessId}\n", File.ReadAllText($"{task}/status"), StringComparison.Ordinal);
            Assert.Equal(new FileInfo("/proc/self/ns/pid").LinkTarget, new FileInfo($"{task}/ns/pid").LinkTarget);
        }

        one.Dispose(); // what is released twice is disposed of twice
        // The kernel is a moment behind the thread.
        Assert.True(SpinWait.SpinUntil(() => !Directory.Exists(task), TimeSpan.FromSeconds(10)));
    }
}
