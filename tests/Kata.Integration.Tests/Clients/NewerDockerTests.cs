using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

/// <summary><c>docker run --runtime io.containerd.kata.v2</c>.</summary>
[Collection(ContainersGroup.Name)]
public sealed class NewerDockerTests : IClassFixture<NewerDockerFixture>
{
    private readonly NewerDockerFixture _docker;

    public NewerDockerTests(NewerDockerFixture docker)
    {
        docker.RequireEngine();
        _docker = docker;
    }

    [Fact]
    public async Task Run_ByContainerdsShim_LivesItsLife()
    {
        string[] shim = ["--runtime", "io.containerd.kata.v2"];
        CommandResult run = await _docker.RunContainerAsync(
            [.. shim, "--memory", "64m", "--hostname", "inside"], "sh", "-c", "hostname; cat /proc/sys/kernel/random/boot_id; exit 9");
        Assert.True(run.ExitCode == 9, run.Error);
        Assert.Equal("inside", run.Lines[0]);
        Assert.NotEqual(
            (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", TestContext.Current.CancellationToken)).Trim(), run.Lines[1]);

        string name = await _docker.StartContainerAsync(shim, "sh", "-c", "echo begun; while :; do sleep 0.1; done");
        string id = (await _docker.EngineAsync("inspect", "--format", "{{.Id}}", name)).Ok().Text;
        Assert.Equal("again", (await _docker.EngineAsync("exec", name, "echo", "again")).Ok().Text);
        (await _docker.EngineAsync("pause", name)).Ok();
        (await _docker.EngineAsync("unpause", name)).Ok();
        (await _docker.EngineAsync("restart", "--time", "0", name)).Ok();
        Assert.Equal("again", (await _docker.EngineAsync("exec", name, "echo", "again")).Ok().Text);
        Assert.Equal("begun\nbegun", (await _docker.EngineAsync("logs", name)).Ok().Text);
        (await _docker.RemoveAsync(name)).Ok();
        await HostSnapshot.AssertCleanAsync(NewerDockerFixture.ShimRoot, id);
    }
}
