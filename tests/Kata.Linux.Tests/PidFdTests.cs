namespace Kata.Linux.Tests;

public sealed class PidFdTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WaitAsync_ProcessOfAnotherParent_TellsItsEndAndNotHow()
    {
        int pid = (await StartWithChildAsync("sh")).Child;
        using PidFd orphan = PidFd.Open(pid);
        Task ended = orphan.WaitAsync(Cancellation);

        Assert.False(ended.IsCompleted);
        Assert.True(orphan.Kill(Signals.SIGKILL));
        await ended.WaitAsync(s_limit, Cancellation);
        Assert.Equal(Errno.ECHILD, Assert.Throws<LinuxException>(() => orphan.TakeStatus(reap: true)).Errno);
    }

    [Fact]
    public async Task TryOpen_LeaderIsReapedAndItsSessionLivesOn_IsNone()
    {
        (ChildProcess leader, int member) = await StartWithChildAsync("setsid", "sh");

        Assert.Null(PidFd.TryOpen(leader.Pid));
        using PidFd living = PidFd.Open(member);
        Assert.True(living.Kill(Signals.SIGKILL));
    }

    [Fact]
    public async Task Kill_ProcessThatHasBeenReaped_SaysSo()
    {
        int pid = ProcessSpawner.Spawn(new SpawnOptions { Path = "/bin/true", Arguments = ["true"], Environment = [] });
        using PidFd process = PidFd.Open(pid);
        await process.WaitAsync(Cancellation).WaitAsync(s_limit, Cancellation);

        Assert.Equal(new ExitStatus(0, null), process.TakeStatus(reap: false));
        Assert.True(process.Kill(Signals.SIGTERM)); // a zombie takes it
        Assert.Equal(new ExitStatus(0, null), process.TakeStatus(reap: true));
        Assert.False(process.Kill(Signals.SIGTERM));
        Assert.Null(PidFd.TryOpen(pid));
    }

    // A shell that has ended, and been reaped, and the process that it has left behind.
    private static async Task<(ChildProcess Shell, int Child)> StartWithChildAsync(params string[] shell)
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        await using var output = new DescriptorStream(read);
        ChildProcess started;
        using (write)
        {
            started = ChildProcess.Start(new SpawnOptions
            {
                Path = $"/usr/bin/{shell[0]}",
                Arguments = [.. shell, "-c", "sleep 1000 >/dev/null & echo $!"],
                Environment = ["PATH=/usr/bin:/bin"],
                Descriptors = new Dictionary<int, SafeFileDescriptor> { [1] = write },
            });
        }

        using var reader = new StreamReader(output);
        int child = int.Parse(await reader.ReadToEndAsync(Cancellation), System.Globalization.CultureInfo.InvariantCulture);
        await started.Exited.WaitAsync(s_limit, Cancellation);
        return (started, child);
    }
}
