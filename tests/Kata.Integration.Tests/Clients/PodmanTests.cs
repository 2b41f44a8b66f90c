using System.Globalization;
using System.Text;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Clients;

/// <summary>podman of Debian 12 with <c>--runtime</c>.</summary>
[Collection(ContainersGroup.Name)]
public sealed class PodmanTests(PodmanFixture podman) : EngineTests(podman), IClassFixture<PodmanFixture>
{
    private protected override string DefaultOpenFiles => "1048576";

    [Fact]
    public async Task Healthcheck_IsTheContainersOwn()
    {
        // Without systemd nothing runs it at intervals.
        string name = await podman.StartContainerAsync(
            ["--health-cmd", "test -e /tmp/well || exit 1", "--health-interval", "disable", "--health-retries", "1"], "sleep", "100000");

        Assert.Equal(1, (await podman.EngineAsync("healthcheck", "run", name)).ExitCode);
        Assert.Equal("unhealthy", await HealthAsync());
        (await podman.EngineAsync("exec", name, "touch", "/tmp/well")).Ok();
        Assert.Equal(0, (await podman.EngineAsync("healthcheck", "run", name)).ExitCode);
        Assert.Equal("healthy", await HealthAsync());
        (await podman.RemoveAsync(name)).Ok();

        async Task<string> HealthAsync() => (await podman.EngineAsync("inspect", "--format", "{{.State.Health.Status}}", name)).Ok().Text;
    }

    [Fact]
    public async Task Copy_ToWhatOnlyTheGuestHas_IsRefusedAndNotLost()
    {
        string name = await podman.StartContainerAsync(["--tmpfs", "/mnt"], "sleep", "100000");
        string file = Path.Combine(podman.NewDirectory("copy"), "kata-copied");
        await File.WriteAllTextAsync(file, "content", TestContext.Current.CancellationToken);

        CommandResult refused = await podman.EngineAsync("cp", file, $"{name}:/mnt/");
        (await podman.RemoveAsync(name)).Ok();

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("read-only file system", refused.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Kill_OfConmon_LeavesTheContainerUsableAndNothingAfterItsRemoval()
    {
        string name = await podman.StartContainerAsync([], "sleep", "100000");
        string conmon = (await podman.EngineAsync("inspect", "--format", "{{.State.ConmonPid}}", name)).Ok().Text;

        HostProcess.Signal(int.Parse(conmon, CultureInfo.InvariantCulture), Signals.SIGKILL);

        Assert.Equal("alive", (await podman.EngineAsync("exec", name, "echo", "alive")).Ok().Text);
        (await podman.RemoveAsync(name)).Ok(); // it kills the program, removes the bundle, and never asks the runtime for a delete
        await podman.AssertCleanAsync();
    }

    [Fact]
    public async Task Notification_OfTheContainer_ReachesTheCallerByConmon()
    {
        const string Program = "/usr/bin/systemd-notify";
        Assert.SkipUnless(File.Exists(Program), $"needs '{Program}' (Debian: apt-get install systemd)");
        using var caller = new DatagramReceiver(Path.Combine(podman.NewDirectory("caller"), "s"), 0x1ff);
        string name = podman.NewName();
        (string podmanPath, string[] arguments) = podman.CommandLine(
        [
            "run", "--detach", "--network", "none", "--name", name, "--sdnotify", "container",
            .. new[] { "/usr", "/lib", "/lib64" }.SelectMany(static directory => new[] { "--volume", $"{directory}:{directory}:ro" }),
            EngineFixture.Image, "sh", "-c", $"sleep 2; {Program} --ready; sleep 100000",
        ]);
        using (RunningCommand run = RunningCommand.Start("/usr/bin/env", [$"NOTIFY_SOCKET={caller.Path}", podmanPath, .. arguments]))
        {
            (await run.FinishAsync(default, RuntimeFixture.Limit)).Ok();
        }

        string said = "";
        while (!said.Contains("READY=1", StringComparison.Ordinal))
        {
            said += Encoding.UTF8.GetString(
                await caller.ReceiveAsync(TestContext.Current.CancellationToken).WaitAsync(RuntimeFixture.Limit));
        }

        Assert.StartsWith("MAINPID=", said, StringComparison.Ordinal); // podman's own, which names conmon
        (await podman.RemoveAsync(name)).Ok();
    }

    [Fact]
    public async Task Top_OfAContainer_ShowsNothingOfTheHost()
    {
        string name = await podman.StartContainerAsync([], "sleep", "100000");

        CommandResult result = await podman.EngineAsync("top", name, "pid", "args");
        (await podman.RemoveAsync(name)).Ok();

        Assert.Equal(2, result.Ok().Lines.Length); // the heading, and what stands for the container on the host
    }

    [Fact]
    public async Task Pod_OfTwoContainers_IsOneMachine()
    {
        const string BootId = "/proc/sys/kernel/random/boot_id";
        (await podman.EngineAsync(
            "pod", "create", "--name", "pod1", "--network", "none", "--infra-image", EngineFixture.Image,
            "--infra-command", "sleep 100000")).Ok();
        (await podman.EngineAsync("run", "--detach", "--pod", "pod1", "--name", "pod1-a", EngineFixture.Image, "sleep", "100000")).Ok();
        string second = (await podman.EngineAsync("run", "--rm", "--pod", "pod1", EngineFixture.Image, "cat", BootId)).Ok().Text;

        Assert.Equal((await podman.EngineAsync("exec", "pod1-a", "cat", BootId)).Ok().Text, second);
        string[] ids = (await podman.EngineAsync("ps", "--all", "--no-trunc", "--filter", "pod=pod1", "--format", "{{.ID}}")).Ok().Lines;
        Assert.Equal(2, ids.Length);
        Assert.Equal(1, EngineFixture.MachinesOf(ids));
        (await podman.EngineAsync("pod", "rm", "--force", "--time", "0", "pod1")).Ok();
        await podman.AssertCleanAsync();
    }

    private protected override async Task<string> ExitEventAsync(string name) => (await podman.EngineAsync(
        "events", "--stream=false", "--filter", $"container={name}", "--filter", "event=died",
        "--format", "{{.ContainerExitCode}}")).Ok().Lines[^1];
}
