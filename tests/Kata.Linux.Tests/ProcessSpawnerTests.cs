using System.Text;

namespace Kata.Linux.Tests;

public sealed class ProcessSpawnerTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Adopt_StatusIsAnothers_IsSeenAndLeft()
    {
        int pid = ProcessSpawner.Spawn(new SpawnOptions { Path = "/bin/sh", Arguments = ["sh", "-c", "exit 3"], Environment = [] });
        ChildProcess child = ChildProcess.Adopt(pid, reaps: false);
        Assert.Equal(
            new ExitStatus(3, null), await child.Exited.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));

        ChildProcess later = ChildProcess.Adopt(pid); // as whoever becomes its parent
        Assert.Equal(
            new ExitStatus(3, null), await later.Exited.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Spawn_NumbersThatCollide_MapsEachToItsOwn()
    {
        // The sources sit on numbers that are targets of the other one. (bash: dash knows one-digit numbers only.)
        (SafeFileDescriptor firstRead, SafeFileDescriptor firstWrite) = Pipe.Create();
        (SafeFileDescriptor secondRead, SafeFileDescriptor secondWrite) = Pipe.Create();
        ChildProcess child = ChildProcess.Start(Shell(
            $"echo one >&{secondWrite.Number}; echo two >&{firstWrite.Number}",
            new Dictionary<int, SafeFileDescriptor> { [secondWrite.Number] = firstWrite, [firstWrite.Number] = secondWrite }));
        firstWrite.Dispose();
        secondWrite.Dispose();

        Assert.Equal("one\n", await ReadAsync(firstRead));
        Assert.Equal("two\n", await ReadAsync(secondRead));
        Assert.Equal(new ExitStatus(0, null), await child.Exited.WaitAsync(s_limit, Cancellation));
    }

    [Fact]
    public async Task Spawn_NothingNamed_ChildSeesOnlyTheNullDeviceAndNoEnvironment()
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        ChildProcess child = ChildProcess.Start(Shell(
            "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]\\) -> /\\1 /p'; export -p",
            new Dictionary<int, SafeFileDescriptor> { [1] = write }));
        write.Dispose();

        string output = await ReadAsync(read);

        Assert.Contains("0 /dev/null", output);
        Assert.Contains("2 /dev/null", output);
        Assert.DoesNotContain("socket:", output);
        Assert.DoesNotContain("HOME", output);
    }

    [Fact]
    public async Task Spawn_Signals_AreDefaultAgain()
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        ChildProcess child =
            ChildProcess.Start(Shell("grep -E 'SigIgn|SigBlk' /proc/self/status", new Dictionary<int, SafeFileDescriptor> { [1] = write }));
        write.Dispose();

        Assert.Equal("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", await ReadAsync(read));
    }

    [Fact]
    public async Task Kill_RunningChild_ReportsTheSignal()
    {
        ChildProcess child = ChildProcess.Start(
            Shell("read x", new Dictionary<int, SafeFileDescriptor> { [0] = UnixSocket.Pair(nonBlocking: false).First }));

        child.Kill(Signals.SIGKILL);
        ExitStatus status = await child.Exited.WaitAsync(s_limit, Cancellation);
        child.Kill(Signals.SIGKILL); // gone: no error

        Assert.Equal(137, status.ToShellCode());
    }

    [Theory]
    [InlineData("/nowhere/program", Errno.ENOENT)]
    [InlineData("/etc/passwd", Errno.EACCES)]
    public void Spawn_NoProgram_SaysWhy(string path, object errno)
    {
        LinuxException error = Assert.Throws<LinuxException>(
            () => ProcessSpawner.Spawn(new SpawnOptions { Path = path, Arguments = ["x"], Environment = [] }));

        Assert.Equal((Errno)errno, error.Errno);
        Assert.Contains($"'{path}'", error.Message);
    }

    private static SpawnOptions Shell(string script, Dictionary<int, SafeFileDescriptor> descriptors) =>
        new() { Path = "/bin/bash", Arguments = ["bash", "-c", script], Environment = ["PATH=/usr/bin:/bin"], Descriptors = descriptors };

    private static async Task<string> ReadAsync(SafeFileDescriptor read)
    {
        await using var stream = new DescriptorStream(read);
        using var text = new MemoryStream();
        await stream.CopyToAsync(text, Cancellation).WaitAsync(s_limit, Cancellation);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
