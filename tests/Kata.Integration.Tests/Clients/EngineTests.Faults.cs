using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Clients;

/// <summary>
/// Something dies, hangs or runs out: the engine sees an end that is no success and tells it as an event, its logs say why, and
/// after the removal nothing is left.
/// </summary>
public abstract partial class EngineTests
{
    private const string Explanation = "kata-runtime: the container ended with status 255: ";

    [Theory]
    [InlineData("qemu ", "QEMU was killed by signal 9")]
    [InlineData("virtiofsd ", "virtiofsd ")]
    [InlineData("kata-runtime service ", "the pod's service has ended unexpectedly")]
    [InlineData("kata-runtime stand-in ", null)] // nobody is left to say anything; the engine saw its process killed
    public async Task Kill_OfAProcessOfOurs_EndsTheContainerAsAFailure(string component, string? reason)
    {
        string name = await _engine.StartContainerAsync([], "sleep", "100000");
        string id = await IdAsync(name);

        HostProcess.Signal(EngineFixture.ProcessOf(id, component), Signals.SIGKILL);

        await AssertFailedAsync(name, reason is null ? "137" : "255", reason);
    }

    [Fact]
    public async Task Panic_OfTheGuest_EndsTheContainerAsAFailure()
    {
        string name = await _engine.StartContainerAsync(["--privileged"], "sh", "-c", "sleep 1; echo c > /proc/sysrq-trigger; sleep 1000");

        await AssertFailedAsync(name, "255", "the guest kernel panicked");
    }

    [Fact]
    public async Task Guest_ThatAnswersNoMore_EndsTheContainerAsAFailure()
    {
        string name;
        using (_engine.Configure("request_timeout = 3\nagent_check_interval = 1\n"))
        {
            name = await _engine.StartContainerAsync([], "sleep", "100000");
        }

        HostProcess.Signal(EngineFixture.ProcessOf(await IdAsync(name), "qemu "), Signals.SIGSTOP);

        await AssertFailedAsync(
            name, "255", "the guest's agent did not answer for 6 s: the guest hangs, or its virtual machine was stopped");
    }

    [Fact]
    public async Task Memory_ThatRunsOut_Is137() =>
        Assert.Equal(137, (await _engine.RunContainerAsync(["--memory", "32m"], "sh", "-c", "exec tail -c 200m /dev/zero")).ExitCode);

    [Fact]
    public async Task Memory_OfTheWholeGuest_ThatRunsOutEndsTheProgram()
    {
        // Files in memory stay when their writer is killed: so the kernel goes on until the container has ended.
        string name = await _engine.StartContainerAsync(
            ["--shm-size", "1g"], "sh", "-c", "while :; do dd if=/dev/zero bs=1M >> /dev/shm/x; done");

        Assert.Equal("137", (await _engine.EngineAsync("wait", name)).Ok().Text);
        await AssertExitEventAsync(name, "137");
        (await _engine.RemoveAsync(name)).Ok();
        await _engine.AssertCleanAsync();
    }

    [Fact]
    public async Task Disk_ThatIsFull_StopsWhatIsNewAndNothingElse()
    {
        Directory.CreateDirectory(_engine.Root);
        await RunAsync("/bin/mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", _engine.Root);
        try
        {
            string folder = Path.Combine(_engine.Root, "volume");
            Directory.CreateDirectory(folder);
            string name = await _engine.StartContainerAsync(["--volume", $"{folder}:/v"], "sleep", "100000");

            CommandResult fill = await _engine.EngineAsync("exec", name, "sh", "-c", "dd if=/dev/zero of=/v/fill bs=4k; echo ended $?");
            CommandResult second = await _engine.RunContainerAsync([], "true");
            CommandResult exec = await _engine.EngineAsync("exec", name, "echo", "alive");

            Assert.Contains("No space left on device", fill.Error, StringComparison.Ordinal);
            Assert.Equal("ended 1", fill.Text);
            Assert.InRange(second.ExitCode, 125, 127);
            Assert.Contains("No space left on device", second.Error, StringComparison.Ordinal);
            Assert.Equal("alive", exec.Ok().Text);
            (await _engine.EngineAsync("kill", name)).Ok();
            Assert.Equal("137", (await _engine.EngineAsync("wait", name)).Ok().Text);
            (await _engine.RemoveAsync(name)).Ok();
            Directory.Delete(folder, recursive: true);
            await _engine.AssertCleanExceptMountAsync();
        }
        finally
        {
            await RunAsync("/bin/umount", "--lazy", _engine.Root);
        }

        await _engine.AssertCleanAsync();
    }

    [Fact]
    public async Task Descriptors_ThatRunOut_StopWhatIsNewAndNothingElse()
    {
        using (_engine.LimitDescriptors(20))
        {
            CommandResult refused = await _engine.RunContainerAsync([], "true");
            Assert.InRange(refused.ExitCode, 125, 127);
            Assert.Contains("raise its limit ('ulimit -n'", refused.Error, StringComparison.Ordinal);
            await _engine.AssertCleanAsync();
        }

        string name = await _engine.StartContainerAsync([], "sleep", "100000");
        int service = EngineFixture.ProcessOf(await IdAsync(name), "kata-runtime service ");
        // Room for two connections, and not for the streams that come through one.
        await RunAsync("/usr/bin/prlimit", "--pid", $"{service}", $"--nofile={HostProcess.DescriptorLimitFor(service, more: 2)}:");
        CommandResult exec = await _engine.EngineAsync("exec", name, "echo", "alive");
        await RunAsync("/usr/bin/prlimit", "--pid", $"{service}", "--nofile=1024:");
        CommandResult again = await _engine.EngineAsync("exec", name, "echo", "alive");
        (await _engine.RemoveAsync(name)).Ok();

        Assert.NotEqual(0, exec.ExitCode);
        // Docker says it on standard output.
        Assert.Contains("raise its limit ('ulimit -n'", exec.Error + exec.Text, StringComparison.Ordinal);
        Assert.Equal("alive", again.Ok().Text);
        await _engine.AssertCleanAsync();
    }

    /// <summary>The status with which the engine's event tells a container's end; empty while there is none.</summary>
    private protected abstract Task<string> ExitEventAsync(string name);

    private protected static async Task RunAsync(string program, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(program, arguments);
        (await command.FinishAsync(default, RuntimeFixture.Limit)).Ok();
    }

    private protected async Task<string> IdAsync(string name) =>
        (await _engine.EngineAsync("inspect", "--format", "{{.Id}}", name)).Ok().Text;

    // podman's 'wait' may come back before the event is written.
    private async Task AssertExitEventAsync(string name, string code)
    {
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        string told;
        while ((told = await ExitEventAsync(name)).Length == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }

        Assert.Equal(code, told);
    }

    private async Task AssertFailedAsync(string name, string code, string? reason)
    {
        Assert.Equal(code, (await _engine.EngineAsync("wait", name)).Ok().Text);
        Assert.Equal($"exited {code}", await StatusAndCodeAsync(name));
        await AssertExitEventAsync(name, code);
        if (reason is not null)
        {
            Assert.Contains(Explanation + reason, (await _engine.EngineAsync("logs", name)).Ok().Error, StringComparison.Ordinal);
        }

        (await _engine.RemoveAsync(name)).Ok();
        await _engine.AssertCleanAsync();
    }
}
