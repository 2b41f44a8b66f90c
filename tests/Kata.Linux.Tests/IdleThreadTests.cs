using Kata.Linux.Interop;

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

    [Fact]
    public void Namespaces_AreTheThreadsAlone()
    {
        string before = new FileInfo("/proc/self/ns/net").LinkTarget!;
        if (Environment.UserName != "root")
        {
            Assert.Equal(Errno.EPERM, Assert.Throws<LinuxException>(static () => new IdleThread(LibC.CLONE_NEWNET)).Errno);
            return;
        }

        using var thread = new IdleThread(LibC.CLONE_NEWNET);
        Assert.NotEqual(before, new FileInfo($"/proc/{thread.Id}/ns/net").LinkTarget);
        Assert.Equal(before, new FileInfo("/proc/self/ns/net").LinkTarget);
    }
}
