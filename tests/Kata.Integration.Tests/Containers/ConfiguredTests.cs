using System.Globalization;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Integration.Tests.Containers;

/// <summary>Keys of the configuration that others than the runtime carry out, and the guest's side when the host gives up.</summary>
[Collection(ContainersGroup.Name)]
public sealed class ConfiguredTests : IClassFixture<ConfiguredFixture>
{
    private readonly ConfiguredFixture _pod;

    public ConfiguredTests(ConfiguredFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public void Configuration_OfOthers_ReachesThem()
    {
        IReadOnlyList<(int Pid, string Command)> processes = _pod.Snapshot().Processes;
        string machine = processes.First(static process => process.Command.Contains("guest=sandbox-", StringComparison.Ordinal)).Command;
        Assert.Contains("-sandbox on,obsolete=deny -", machine + " -", StringComparison.Ordinal);
        Assert.Contains("""{"qom-type":"rng-random","id":"random-source","filename":"/dev/fdset/""", machine, StringComparison.Ordinal);
        Assert.All(FileServers(), static process => Assert.EndsWith(" --thread-pool-size=1", process.Command, StringComparison.Ordinal));
        Assert.Contains("level=debug", File.ReadAllText(_pod.Log), StringComparison.Ordinal); // without --debug: by runtime.enable_debug
    }

    [Fact]
    public async Task KernelModules_NamedOne_IsLoadedAfterThoseThatItNeeds()
    {
        string[] modules =
            [.. (await _pod.ExecAsync(_pod.PodId, "cat", "/proc/modules")).Ok().Lines.Select(static line => line.Split(' ')[0])];

        Assert.Contains(ConfiguredFixture.NamedModule, modules);
        Assert.Contains("udp_tunnel", modules);
        Assert.Contains("ip6_udp_tunnel", modules);
    }

    [Theory]
    [InlineData("broken", "Cannot load the kernel module 'broken': the guest's kernel refused: Exec format error (ENOEXEC)")]
    [InlineData(
        "no-such-module", "the guest image has no 'no_such_module.ko'. Add it to the image, or correct 'kernel_modules' in [agent.kata]")]
    public async Task KernelModules_OneThatCannotBeLoaded_FailsThePod(string module, string text)
    {
        string configuration = Path.Combine(_pod.NewDirectory("module"), "configuration.toml");
        await File.WriteAllTextAsync(configuration, _pod.Configuration(module), TestContext.Current.CancellationToken);
        using RunningCommand run = RunningCommand.Start(
            RuntimeFixture.RuntimePath!,
            [
                "--root", _pod.Root, "--log", _pod.Log, "--kata-config", configuration, "run",
                "--bundle", _pod.NewBundle().Args("true").Write(), _pod.NewId(),
            ]);

        CommandResult result = await run.FinishAsync(default, RuntimeFixture.Limit);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(text, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_CallerWasToldThatItFailed_DoesNotRun()
    {
        string id = _pod.NewId(), marker = $"ran-{id}";
        await StartAsync(id, "sleep 100000");
        CommandResult exec;
        using (Stopped())
        {
            exec = await _pod.ExecShellAsync(id, $"echo > /{marker}");
        }

        Assert.Equal(255, exec.ExitCode);
        Assert.Contains("did not answer in time", exec.Error, StringComparison.Ordinal);
        (await _pod.ExecShellAsync(id, "sleep 3")).Ok(); // more than the first one would have needed
        Assert.False(File.Exists(Path.Combine(_pod.RootFs, marker)));
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Pause_ContainerDoesNotStandStillInTime_GoesOn()
    {
        string id = _pod.NewId(), path = Path.Combine(_pod.RootFs, $"count-{id}");
        await StartAsync(id, $"while :; do echo >> /count-{id}; done");
        await GrowsAsync(path);
        CommandResult pause;
        using (Stopped())
        {
            pause = await _pod.RunAsync("pause", id); // its program waits for the file server, and cannot stand still
        }

        Assert.Equal(1, pause.ExitCode);
        Assert.Contains("\"status\": \"running\"", (await _pod.RunAsync("state", id)).Ok().Text, StringComparison.Ordinal);
        await GrowsAsync(path);
        (await _pod.RunAsync("pause", id)).Ok();
        (await _pod.RunAsync("resume", id)).Ok();
        await GrowsAsync(path);
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Exec_ThatFails_LeavesNoFileInTheGuest()
    {
        string id = _pod.NewId();
        await StartAsync(id, "sleep 100000");
        const string Free = "stat -f -c %d /run/notify"; // a directory of the guest's tmpfs where the agent keeps its files
        string before = (await _pod.ExecShellAsync(id, Free)).Ok().Text;
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(127, (await _pod.ExecAsync(id, "/no/such/program")).ExitCode);
            Assert.NotEqual(0, (await _pod.RunAsync("exec", "--user", "nobody-here", id, "true")).ExitCode);
        }

        Assert.Equal(before, (await _pod.ExecShellAsync(id, Free)).Ok().Text);
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Create_FailsAfterItsProcessWasMade_LeavesNothingBehind()
    {
        TestBundle bundle = _pod.NewPodBundle().Args("sleep", "1000").Edit(
            static bundle =>
                bundle.Process["scheduler"] = new System.Text.Json.Nodes.JsonObject { ["policy"] = "SCHED_FIFO", ["priority"] = 500 });
        string id = _pod.NewId();

        CommandResult create = await _pod.RunAsync("create", "--bundle", bundle.Write(), id);

        Assert.Equal(1, create.ExitCode);
        Assert.Contains("set the scheduler 'SCHED_FIFO'", create.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "left something behind",
            await File.ReadAllTextAsync(Path.Combine(_pod.Root, _pod.PodId, "console.log"), TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
        await StartAsync(id, "sleep 1000"); // the name is free, its group too
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    private IReadOnlyList<(int Pid, string Command)> FileServers() =>
        [.. _pod.Snapshot().Processes.Where(static process => process.Command.Contains("virtiofsd ", StringComparison.Ordinal)
            && process.Command.Contains("--fd=", StringComparison.Ordinal))];

    // With a directory of the guest's at /run/notify.
    private async Task StartAsync(string id, string script)
    {
        using RunningCommand create = RunningCommand.Start(
            "/usr/bin/env",
            [
                "NOTIFY_SOCKET=/run/nobody", "sh", "-c", "exec \"$@\" </dev/null >/dev/null 2>&1", "sh", RuntimeFixture.RuntimePath!,
                .. _pod.Globals("create", "--bundle", _pod.NewPodBundle().Shell(script).Write(), id),
            ]);
        (await create.FinishAsync(default, RuntimeFixture.Limit)).Ok();
        (await _pod.RunAsync("start", id)).Ok();
    }

    private static async Task GrowsAsync(string path)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(RuntimeFixture.Limit);
        long length = File.Exists(path) ? new FileInfo(path).Length : 0;
        while (!File.Exists(path) || new FileInfo(path).Length <= length)
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private Standstill Stopped() => new([.. FileServers().Select(static process => process.Pid)]);

    /// <summary>Processes that stand still until disposed.</summary>
    private sealed class Standstill : IDisposable
    {
        private readonly int[] _processes;

        public Standstill(int[] processes)
        {
            Assert.NotEmpty(processes);
            _processes = processes;
            Send(Signals.SIGSTOP);
        }

        public void Dispose() => Send(18); // SIGCONT

        private void Send(int signal)
        {
            foreach (int process in _processes)
            {
                Assert.True(LibC.kill(process, signal) == 0, string.Create(CultureInfo.InvariantCulture, $"process {process} is gone"));
            }
        }
    }
}
