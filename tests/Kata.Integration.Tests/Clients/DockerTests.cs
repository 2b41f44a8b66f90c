using System.Globalization;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Clients;

/// <summary>docker of Debian 12, with the runtime registered by its path.</summary>
[Collection(ContainersGroup.Name)]
public sealed class DockerTests(DockerFixture docker) : EngineTests(docker), IClassFixture<DockerFixture>
{
    [Fact]
    public async Task Healthcheck_ChangesWithTheContainer()
    {
        string name = await docker.StartContainerAsync(
            ["--health-cmd", "test -e /tmp/well", "--health-interval", "1s", "--health-retries", "1"], "sleep", "100000");

        await UntilAsync(async () => await HealthAsync() == "unhealthy", "the container is unhealthy");
        (await docker.EngineAsync("exec", name, "touch", "/tmp/well")).Ok();
        await UntilAsync(async () => await HealthAsync() == "healthy", "the container is healthy");
        CommandResult top = await docker.EngineAsync("top", name);
        (await docker.RemoveAsync(name)).Ok();

        Assert.Equal(2, top.Ok().Lines.Length); // the heading, and what stands for the container on the host

        async Task<string> HealthAsync() => (await docker.EngineAsync("inspect", "--format", "{{.State.Health.Status}}", name)).Ok().Text;
    }

    [Fact]
    public async Task Restart_OnFailure_HappensAsOftenAsAsked()
    {
        string name = await docker.StartContainerAsync(["--restart", "on-failure:1"], "sh", "-c", "echo begun; exit 3");

        await UntilAsync(async () => await InspectAsync("{{.State.Status}} {{.RestartCount}}") == "exited 1", "it has ended twice");
        string code = await InspectAsync("{{.State.ExitCode}}");
        CommandResult logs = await docker.EngineAsync("logs", name);
        (await docker.RemoveAsync(name)).Ok();

        Assert.Equal("3", code);
        Assert.Equal(["begun", "begun"], logs.Ok().Lines);

        async Task<string> InspectAsync(string format) => (await docker.EngineAsync("inspect", "--format", format, name)).Ok().Text;
    }

    [Fact]
    public async Task Kill_OfTheShim_EndsTheContainerAsAFailure()
    {
        string name = await docker.StartContainerAsync([], "sleep", "100000");

        HostProcess.Signal(EngineFixture.ProcessOf(await IdAsync(name), "/usr/bin/containerd-shim"), Signals.SIGKILL);

        // containerd kills the program and says 137, unless it hears of the shim first: then it does not know, which is 255.
        string[] failures = ["137", "255"];
        Assert.Contains((await docker.EngineAsync("wait", name)).Ok().Text, failures);
        Assert.Contains(await ExitEventAsync(name), failures);
        (await docker.RemoveAsync(name)).Ok();
        await docker.AssertCleanAsync();
    }

    [Fact]
    public async Task Restart_OfTheDaemon_ContainersLiveOn()
    {
        string name = await docker.StartContainerAsync([], "sleep", "100000");

        await docker.RestartDaemonAsync();
        CommandResult result = await docker.EngineAsync("exec", name, "echo", "alive");
        (await docker.RemoveAsync(name)).Ok();

        Assert.Equal("alive", result.Ok().Text);
    }

    private protected override async Task<string> ExitEventAsync(string name)
    {
        // In whole seconds, and what happens in the last one does not count: so it waits for up to a second.
        string until = (TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1).ToString(CultureInfo.InvariantCulture);
        string[] options = ["--since", "1", "--until", until, "--filter", $"container={name}", "--filter", "event=die"];
        return (await docker.EngineAsync(["events", .. options, "--format", "{{.Actor.Attributes.exitCode}}"])).Ok().Lines[^1];
    }
}
