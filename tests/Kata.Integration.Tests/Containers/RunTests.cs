using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary><c>run</c> in the foreground: exit codes and streams.</summary>
[Collection(ContainersGroup.Name)]
public sealed class RunTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public RunTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(255)]
    public async Task Run_ProgramExits_ExitsWithItsCode(int code)
    {
        CommandResult result = await _pod.RunShellAsync($"exit {code}");

        Assert.Equal(code, result.ExitCode);
        Assert.Equal("", result.Error);
    }

    [Theory]
    [InlineData("1.0.0")]
    [InlineData("1.1.0")]
    [InlineData("1.2.1")]
    [InlineData("1.3.0")]
    public async Task Run_SpecificationOfAnyVersion_Runs(string version)
    {
        string id = _pod.NewId();
        TestBundle bundle = _pod.NewPodBundle().Args("echo", version).Edit(item => item.Config["ociVersion"] = version);

        Assert.Equal(version, (await _pod.RunAsync("run", "--bundle", bundle.Write(), id)).Ok().Text);
    }

    [Theory]
    [InlineData("KILL", 137)]
    [InlineData("SEGV", 139)]
    public async Task Run_ChildDiesOfSignal_ExitsWith128PlusNumber(string signal, int code)
    {
        // The first process of a PID namespace is immune to its own signals, so its child stands for it: 'sh' hands on the code.
        CommandResult result = await _pod.RunShellAsync($"sh -c 'kill -{signal} $$'; exit $?");

        Assert.Equal(code, result.ExitCode);
    }

    [Fact]
    public async Task Run_KilledFromOutside_ExitsWith128PlusNumber()
    {
        string id = _pod.NewId();
        using RunningCommand running = _pod.Start("run", "--bundle", _pod.NewPodBundle().Shell("echo up; exec sleep 1000").Write(), id);
        await running.Output.ReadExactlyAsync(new byte[3], TestContext.Current.CancellationToken)
            .AsTask().WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken);

        (await _pod.RunAsync("kill", id, "KILL")).Ok();

        Assert.Equal(137, await running.ExitAsync(RuntimeFixture.Limit));
    }

    [Fact]
    public async Task Run_ProgramWritesToBoth_KeepsOutputAndErrorApart()
    {
        CommandResult result = (await _pod.RunShellAsync("echo to-output; echo to-error >&2")).Ok();

        Assert.Equal("to-output", result.Text);
        Assert.Equal("to-error\n", result.Error);
    }

    [Fact]
    public async Task Run_InputEnds_ProgramSeesTheEnd()
    {
        CommandResult result = (await _pod.RunContainerAsync(_pod.NewPodBundle().Args("cat"), RuntimeFixture.Bytes("one\ntwo"))).Ok();

        Assert.Equal("one\ntwo", result.Text);
    }

    [Fact]
    public async Task Run_EveryByteValue_ComesBackUnchanged()
    {
        byte[] all = [.. Enumerable.Range(0, 4096).Select(static i => (byte)i)];

        CommandResult result = (await _pod.RunContainerAsync(_pod.NewPodBundle().Args("cat"), all)).Ok();

        Assert.Equal(all, result.Output);
    }

    [Fact]
    public async Task Run_ProgramLeavesChildWithOutputOpen_EndsWithTheProgram()
    {
        CommandResult result = (await _pod.RunShellAsync("sleep 1000 & echo done")).Ok();

        Assert.Equal("done", result.Text);
    }

    [Fact]
    public async Task Run_CommandDoesNotExist_ExitsWith127AndRuncsText()
    {
        CommandResult result = await _pod.RunContainerAsync(_pod.NewPodBundle().Args("nope"));

        Assert.Equal(127, result.ExitCode);
        Assert.Contains("exec: \"nope\": executable file not found in $PATH", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CommandIsNotExecutable_ExitsWith126()
    {
        CommandResult result = await _pod.RunContainerAsync(_pod.NewPodBundle().Args("/etc/passwd"));

        Assert.Equal(126, result.ExitCode);
        Assert.Contains("exec: \"/etc/passwd\": permission denied", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_FileThatIsNoProgram_SaysSoForPeople()
    {
        string directory = _pod.NewDirectory("programs"), program = Path.Combine(directory, "program");
        await File.WriteAllTextAsync(program, "nothing that a kernel knows", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        CommandResult result =
            await _pod.RunContainerAsync(_pod.NewPodBundle().Mount("/mnt", "bind", directory, "rbind").Args("/mnt/program"));

        Assert.Equal(1, result.ExitCode); // as with runc
        Assert.EndsWith("exec container process `/mnt/program`: Exec format error\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("{", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ManyAfterAnother_GuestKernelStaysWell()
    {
        // Each ends a file system of its own in the guest while it is still being closed (see the agent's SharedSubmounts).
        for (int i = 0; i < 10; i++)
        {
            (await _pod.RunShellAsync("cat /etc/passwd | cat > /tmp/copy; true")).Ok();
        }

        string console = await File.ReadAllTextAsync(
            Path.Combine(_pod.Root, _pod.PodId, "console.log"), TestContext.Current.CancellationToken);
        Assert.DoesNotContain("Busy inodes", console, StringComparison.Ordinal);
        Assert.DoesNotContain("kernel BUG", console, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Ended_LeavesNoContainer()
    {
        string id = _pod.NewId();
        (await _pod.RunAsync("run", "--bundle", _pod.NewPodBundle().Args("true").Write(), id)).Ok();

        CommandResult state = await _pod.RunAsync("state", id);

        Assert.Equal(1, state.ExitCode);
        Assert.Contains(id, state.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_KeepAndEnded_LeavesTheContainerStopped()
    {
        string id = _pod.NewId();
        Assert.Equal(3, (await _pod.RunAsync("run", "--keep", "--bundle", _pod.NewPodBundle().Shell("exit 3").Write(), id)).ExitCode);

        Assert.Contains("\"status\": \"stopped\"", (await _pod.RunAsync("state", id)).Ok().Text, StringComparison.Ordinal);
        (await _pod.RunAsync("delete", id)).Ok();
    }
}
