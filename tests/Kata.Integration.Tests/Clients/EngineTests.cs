using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

/// <summary>What every engine's user does with containers, the same with each.</summary>
public abstract partial class EngineTests : IAsyncDisposable
{
    private readonly EngineFixture _engine;

    private protected EngineTests(EngineFixture engine)
    {
        engine.RequireEngine();
        _engine = engine;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            await _engine.RemoveEverythingAsync();
        }
    }

    [Fact]
    public async Task Run_Program_GivesOutputErrorAndExitCode()
    {
        CommandResult result = await _engine.RunContainerAsync([], "sh", "-c", "echo out; echo err >&2; exit 7");

        Assert.Equal("out", result.Text);
        Assert.Contains("err", result.Error, StringComparison.Ordinal);
        Assert.Equal(7, result.ExitCode);
    }

    [Fact]
    public async Task Run_Kernel_IsTheGuests() =>
        Assert.NotEqual(
            (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", TestContext.Current.CancellationToken)).Trim(),
            (await _engine.RunContainerAsync([], "cat", "/proc/sys/kernel/random/boot_id")).Ok().Text);

    [Fact]
    public async Task Run_UnknownProgram_Is127()
    {
        CommandResult result = await _engine.RunContainerAsync([], "no-such-program");

        Assert.Equal(127, result.ExitCode);
        Assert.Contains("no-such-program", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Options_ReachTheContainer()
    {
        CommandResult result = await _engine.RunContainerAsync(
            [
                "--env", "A=b c", "--hostname", "box", "--user", "1000:1000", "--workdir", "/tmp", "--ulimit", "nofile=512:1024",
                "--tmpfs", "/t:size=1m",
            ],
            "sh", "-c", "echo $A; hostname; id -u; pwd; ulimit -n; ulimit -Hn; stat -f -c %T /t");

        Assert.Equal(["b c", "box", "1000", "/tmp", "512", "1024", "tmpfs"], result.Ok().Lines);
    }

    [Fact]
    public async Task Run_SharedMemory_HasTheSizeAskedFor() =>
        Assert.Equal("8192", (await _engine.RunContainerAsync(
            ["--shm-size", "8m"], "sh", "-c", "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2")).Ok().Text);

    [Fact]
    public async Task Pause_AndResume_AreWhatTheEngineSees()
    {
        string name = await _engine.StartContainerAsync([], "sleep", "100000");

        (await _engine.EngineAsync("pause", name)).Ok();
        Assert.Equal("paused", await StatusAsync(name));
        (await _engine.EngineAsync("unpause", name)).Ok();
        Assert.Equal("running", await StatusAsync(name));
        Assert.Equal("alive", (await _engine.EngineAsync("exec", name, "echo", "alive")).Ok().Text);
        (await _engine.RemoveAsync(name)).Ok();
    }

    [Fact]
    public async Task Run_Limits_AreTheGuestsCgroups()
    {
        const string Script = "cd /sys/fs/cgroup; cat memory.max pids.max cpu.max";
        CommandResult result = await _engine.RunContainerAsync(
            ["--memory", "64m", "--pids-limit", "50", "--cpus", "0.5"], "sh", "-c", Script);

        Assert.Equal(["67108864", "50", "50000 100000"], result.Ok().Lines);
    }

    [Fact]
    public async Task Run_Privileges_AreTheGuestsAlone()
    {
        CommandResult result = await _engine.RunContainerAsync(
            ["--privileged"],
            "sh", "-c",
            "mount -t tmpfs none /mnt && echo mounted; dd if=/dev/zero of=/proc/sys/kernel/panic_on_oops bs=1 count=0 && echo writable");

        Assert.Equal(["mounted", "writable"], result.Ok().Lines);
    }

    [Fact]
    public async Task Run_CapabilitiesAndNoNewPrivileges_AreAsAsked()
    {
        string[] options = ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "--security-opt", "no-new-privileges"];
        CommandResult result = await _engine.RunContainerAsync(
            options, "sh", "-c", "grep -E 'CapEff|NoNewPrivs' /proc/self/status | cut -f 2");

        Assert.Equal(["0000000000001000", "1"], result.Ok().Lines);
    }

    [Fact]
    public async Task Run_ReadOnly_RootFileSystemIsAndTheRestIsNot()
    {
        CommandResult result = await _engine.RunContainerAsync(
            ["--read-only", "--tmpfs", "/run"],
            "sh", "-c", "touch /x 2>/dev/null || echo refused; touch /run/x /dev/shm/x && echo written");

        Assert.Equal(["refused", "written"], result.Ok().Lines);
    }

    [Fact]
    public async Task Run_Volume_IsSharedBothWays()
    {
        string folder = _engine.NewDirectory("volume");
        await File.WriteAllTextAsync(Path.Combine(folder, "in"), "from the host", TestContext.Current.CancellationToken);

        CommandResult result = await _engine.RunContainerAsync(
            ["--volume", $"{folder}:/v"], "sh", "-c", "cat /v/in; echo -n from the guest > /v/out");

        Assert.Equal("from the host", result.Ok().Text);
        Assert.Equal("from the guest", await File.ReadAllTextAsync(Path.Combine(folder, "out"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Container_LifeCycle_IsWhatTheEngineSees()
    {
        string name = await _engine.StartContainerAsync(
            [], "sh", "-c", "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 1 & wait $!; done");
        Assert.Equal("running", await StatusAsync(name));

        CommandResult exec = await _engine.EngineAsync(
            "exec", "--user", "1000", "--env", "X=y", name, "sh", "-c", "id -u; echo $X; exit 5");
        Assert.Equal((5, "1000\ny", ""), (exec.ExitCode, exec.Text, exec.Error));

        (await _engine.EngineAsync("stop", "--time", "60", name)).Ok();
        (await _engine.EngineAsync("stop", name)).Ok(); // once more: there is nothing to do
        Assert.Equal("exited 3", await StatusAndCodeAsync(name));
        Assert.Equal("up\nbye", (await _engine.EngineAsync("logs", name)).Ok().Text);

        (await _engine.EngineAsync("start", name)).Ok();
        // Else the signal is lost on a first process.
        await UntilAsync(async () => (await _engine.EngineAsync("logs", name)).Text == "up\nbye\nup", "the trap is set again");
        (await _engine.EngineAsync("restart", "--time", "60", name)).Ok();
        (await _engine.EngineAsync("kill", name)).Ok();
        Assert.Equal("137", (await _engine.EngineAsync("wait", name)).Ok().Text);
        (await _engine.RemoveAsync(name)).Ok();
        await _engine.AssertCleanAsync();
    }

    [Fact]
    public async Task Copy_ToAndFromALivingContainer_TouchesTheContainerAndNotTheHost()
    {
        string name = await _engine.StartContainerAsync([], "sleep", "100000");
        string file = Path.Combine(_engine.NewDirectory("copy"), "kata-copied");
        await File.WriteAllTextAsync(file, "content", TestContext.Current.CancellationToken);

        (await _engine.EngineAsync("cp", file, $"{name}:/mnt/")).Ok();
        CommandResult there = await _engine.EngineAsync("exec", name, "sh", "-c", "cat /mnt/kata-copied; echo answer > /root/kata-answer");
        (await _engine.EngineAsync("cp", $"{name}:/root/kata-answer", file)).Ok();
        (await _engine.RemoveAsync(name)).Ok();

        Assert.Equal("content", there.Ok().Text);
        Assert.Equal("answer\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        Assert.False(File.Exists("/mnt/kata-copied"), "the copy went to the host");
    }

    [Fact]
    public async Task Copy_ToAndFromAVolume_IsTheVolumes()
    {
        string volume = _engine.NewDirectory("volume"), file = Path.Combine(_engine.NewDirectory("copy"), "kata-copied");
        string name = await _engine.StartContainerAsync(["--volume", $"{volume}:/mnt"], "sleep", "100000");
        await File.WriteAllTextAsync(file, "content", TestContext.Current.CancellationToken);

        (await _engine.EngineAsync("cp", file, $"{name}:/mnt/")).Ok();
        CommandResult there = await _engine.EngineAsync("exec", name, "sh", "-c", "cat /mnt/kata-copied; echo answer > /mnt/kata-answer");
        (await _engine.EngineAsync("cp", $"{name}:/mnt/kata-answer", file)).Ok();
        (await _engine.RemoveAsync(name)).Ok();

        Assert.Equal("content", there.Ok().Text);
        Assert.Equal(["kata-answer", "kata-copied"], Directory.GetFiles(volume).Select(Path.GetFileName).Order());
        Assert.Equal("answer\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Commit_OfAContainer_KeepsItsFiles()
    {
        string name = await _engine.StartContainerAsync([], "sleep", "100000");
        (await _engine.EngineAsync("exec", name, "sh", "-c", "echo kept > /root/kept")).Ok();
        (await _engine.EngineAsync("commit", name, "kata-test:committed")).Ok();
        (await _engine.RemoveAsync(name)).Ok();

        CommandResult result = await _engine.EngineAsync("run", "--rm", "--network", "none", "kata-test:committed", "cat", "/root/kept");

        Assert.Equal("kept", result.Ok().Text);
    }

    private async Task<string> StatusAsync(string name) =>
        (await _engine.EngineAsync("inspect", "--format", "{{.State.Status}}", name)).Ok().Text;

    private async Task<string> StatusAndCodeAsync(string name) =>
        (await _engine.EngineAsync("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name)).Ok().Text;
}
