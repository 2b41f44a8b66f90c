namespace Kata.Linux.Tests;

public sealed class PidFdTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WaitAsync_ProcessOfAnotherParent_TellsItsEndAndNotHow()
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        await using var output = new DescriptorStream(read);
        ChildProcess shell;
        using (write)
        {
            shell = ChildProcess.Start(new SpawnOptions
            {
                Path = "/bin/sh",
                Arguments = ["sh", "-c", "sleep 1000 >/dev/null & echo $!"],
                Environment = ["PATH=/usr/bin:/bin"],
                Descriptors = new Dictionary<int, SafeFileDescriptor> { [1] = write },
            });
        }

        using var reader = new StreamReader(output);
        int pid = int.Parse(await reader.ReadToEndAsync(Cancellation), System.Globalization.CultureInfo.InvariantCulture);
        await shell.Exited.WaitAsync(s_limit, Cancellation);
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
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        await using var output = new DescriptorStream(read);
        ChildProcess leader;
        using (write)
        {
            leader = ChildProcess.Start(new SpawnOptions
            {
                Path = "/usr/bin/setsid",
                Arguments = ["setsid", "sh", "-c", "sleep 1000 >/dev/null & echo $!"],
                Environment = ["PATH=/usr/bin:/bin"],
                Descriptors = new Dictionary<int, SafeFileDescriptor> { [1] = write },
            });
        }

        using var reader = new StreamReader(output);
        int member = int.Parse(await reader.ReadToEndAsync(Cancellation), System.Globalization.CultureInfo.InvariantCulture);
        await leader.Exited.WaitAsync(s_limit, Cancellation);

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
}
