using System.Globalization;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Containers;

/// <summary><c>exec</c> in one running container.</summary>
[Collection(ContainersGroup.Name)]
public sealed class ExecTests : IClassFixture<SleeperFixture>
{
    private readonly SleeperFixture _runtime;

    public ExecTests(SleeperFixture runtime)
    {
        RuntimeFixture.Require();
        _runtime = runtime;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(255)]
    public async Task Exec_ProgramExits_ExitsWithItsCode(int code) =>
        Assert.Equal(code, (await _runtime.ExecShellAsync(_runtime.Id, $"exit {code}")).ExitCode);

    [Theory]
    [InlineData("KILL", 137)]
    [InlineData("TERM", 143)]
    public async Task Exec_ProgramDiesOfSignal_ExitsWith128PlusNumber(string signal, int code) =>
        Assert.Equal(code, (await _runtime.ExecShellAsync(_runtime.Id, $"kill -{signal} $$")).ExitCode);

    [Fact]
    public async Task Exec_Input_ReachesTheProgramAndEnds()
    {
        byte[] all = [.. Enumerable.Range(0, 100_000).Select(static i => (byte)(i * 7))];

        CommandResult result = await _runtime.RunAsync(["exec", _runtime.Id, "cat"], all, RuntimeFixture.Limit);

        Assert.Equal(all, result.Ok().Output);
    }

    [Fact]
    public async Task Exec_ProgramWritesToBoth_KeepsOutputAndErrorApart()
    {
        CommandResult result = (await _runtime.ExecShellAsync(_runtime.Id, "echo to-output; echo to-error >&2")).Ok();

        Assert.Equal("to-output", result.Text);
        Assert.Equal("to-error\n", result.Error);
    }

    /// <summary>As with runc, whose copy of the output ends with the program.</summary>
    [Fact]
    public async Task Exec_DescendantWritesOnAfterTheEnd_GetsSigpipe()
    {
        string marker = $"/tmp/{_runtime.NewId()}";
        // More than what lies in the pipe and on its way: it would block for ever.
        (await _runtime.ExecShellAsync(_runtime.Id, $"(sleep 1; dd if=/dev/zero bs=64k count=256; echo $? > {marker}) 2>/dev/null &")).Ok();

        CommandResult status = await _runtime.ExecShellAsync(
            _runtime.Id, $"i=0; until test -s {marker} || test $((i += 1)) -gt 300; do sleep 0.1; done; cat {marker}");

        Assert.Equal("141", status.Ok().Text); // 128 + SIGPIPE
    }

    [Fact]
    public async Task Exec_Env_IsAddedToTheContainers()
    {
        CommandResult result = await _runtime.RunAsync(
            "exec", "--env", "A=1", "-e", "B=two words", _runtime.Id, "sh", "-c", "echo $A; echo $B; echo $PATH");

        Assert.Equal(["1", "two words", "/bin"], result.Ok().Lines);
    }

    [Fact]
    public async Task Exec_Cwd_IsTheProcesss() =>
        Assert.Equal("/tmp", (await _runtime.RunAsync("exec", "--cwd", "/tmp", _runtime.Id, "pwd")).Ok().Text);

    [Theory]
    [InlineData("1000:50", "1000", "50")]
    [InlineData("web", "1000", "1000")]
    [InlineData("web:staff", "1000", "50")]
    [InlineData("77", "77", "0")]
    public async Task Exec_User_IsTheProcesss(string user, string uid, string gid)
    {
        CommandResult result = await _runtime.RunAsync("exec", "--user", user, _runtime.Id, "sh", "-c", "id -u; id -g");

        Assert.Equal([uid, gid], result.Ok().Lines);
    }

    [Fact]
    public async Task Exec_UserIsUnknown_IsRefusedWithTheName()
    {
        CommandResult result = await _runtime.RunAsync("exec", "--user", "nobody-here", _runtime.Id, "id");

        Assert.Equal(255, result.ExitCode);
        Assert.Contains("unable to find user nobody-here", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_CommandDoesNotExist_ExitsWith127AndRuncsText()
    {
        CommandResult result = await _runtime.ExecAsync(_runtime.Id, "nope");

        Assert.Equal(127, result.ExitCode);
        Assert.Contains("exec: \"nope\": executable file not found in $PATH", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_CommandIsNotExecutable_ExitsWith126()
    {
        CommandResult result = await _runtime.ExecAsync(_runtime.Id, "/etc/passwd");

        Assert.Equal(126, result.ExitCode);
        Assert.Contains("exec: \"/etc/passwd\": permission denied", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_OptionsAfterTheCommand_BelongToTheCommand()
    {
        CommandResult result = await _runtime.ExecAsync(_runtime.Id, "ls", "-t", "-1", "/etc");

        Assert.Equal(["group", "passwd"], result.Ok().Lines.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Exec_NoCommand_IsRefusedWithTheRemedy()
    {
        CommandResult result = await _runtime.ExecAsync(_runtime.Id);

        Assert.Equal(255, result.ExitCode);
        Assert.Contains("Name one after the container's id, or give --process FILE", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_ProcessFile_IsWhatRuns()
    {
        string file = Path.Combine(_runtime.NewDirectory("process"), "process.json");
        await File.WriteAllTextAsync(
            file,
            """{ "args": ["sh", "-c", "pwd; echo $X"], "cwd": "/etc", "env": ["PATH=/bin", "X=1"], "user": { "uid": 0, "gid": 0 } }""",
            TestContext.Current.CancellationToken);

        Assert.Equal(["/etc", "1"], (await _runtime.RunAsync("exec", "--process", file, _runtime.Id)).Ok().Lines);
    }

    [Fact]
    public async Task Exec_Detached_ThePidIsALivingProcessThatHandsSignalsOnAndEndsWithTheProgram()
    {
        string directory = _runtime.NewDirectory("detached");
        string pidFile = Path.Combine(directory, "pid");
        (await _runtime.RunDetachedAsync("exec", "--detach", "--pid-file", pidFile, _runtime.Id, "sleep", "1000")).Result.Ok();
        int pid = int.Parse(await File.ReadAllTextAsync(pidFile, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);
        Assert.True(Directory.Exists($"/proc/{pid}"));

        HostProcess.Signal(pid, Signals.SIGTERM); // handed on to the program

        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        Assert.True(await HostProcess.EndedAsync(pid, limit.Token));
    }

    [Fact]
    public async Task Exec_ManyAtOnce_EachGetsItsOwnOutput()
    {
        CommandResult[] results =
            await Task.WhenAll(Enumerable.Range(0, 8).Select(i => _runtime.ExecShellAsync(_runtime.Id, $"echo {i}; exit {i}")));

        Assert.Equal(
            Enumerable.Range(0, 8).Select(static i => (i, $"{i}")), results.Select(static result => (result.ExitCode, result.Text)));
    }

    [Fact]
    public async Task Exec_InputHasEndedAndProgramGoesOn_ServiceIsIdle()
    {
        (await _runtime.ExecAsync(_runtime.Id, "true")).Ok();
        int service = _runtime.ServicePid(_runtime.Id);
        TimeSpan before = HostProcess.ProcessorTime(service);

        (await _runtime.ExecAsync(_runtime.Id, "sleep", "5")).Ok();

        // An exec costs it a few milliseconds; a loop that spins on the ended input would cost seconds.
        Assert.InRange(HostProcess.ProcessorTime(service) - before, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Exec_ContainerIsUnknown_IsRefusedWithTheId()
    {
        CommandResult result = await _runtime.ExecAsync("unknown-id", "true");

        Assert.Equal(255, result.ExitCode);
        Assert.Contains("'unknown-id'", result.Error, StringComparison.Ordinal);
    }
}
