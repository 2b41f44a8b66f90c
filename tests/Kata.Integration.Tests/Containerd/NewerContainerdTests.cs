using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containerd;

/// <summary>The shim with containerd of Debian's next releases.</summary>
public abstract class NewerContainerdTests
{
    private readonly ContainerdFixture _containerd;

    protected NewerContainerdTests(ContainerdFixture containerd)
    {
        ContainerdFixture.RequireContainerd();
        Assert.SkipWhen(containerd.Missing is not null, containerd.Missing ?? "");
        _containerd = containerd;
    }

    /// <summary>What its version begins with.</summary>
    protected abstract string Version { get; }

    [Fact]
    public async Task Run_ProgramAndPod_LiveTheirLives()
    {
        Assert.Contains($"Version:  {Version}", (await _containerd.CtrAsync("version")).Ok().Text, StringComparison.Ordinal);

        CommandResult run = await _containerd.CtrAsync([
            "run", "--rm", .. ContainerdFixture.Runtime, ContainerdFixture.Image, _containerd.NewId(), "sh",
            "-c", "echo out; echo err >&2; exit 7",
        ]);
        Assert.Equal((7, "out"), (run.ExitCode, run.Text));
        Assert.Contains("err", run.Error, StringComparison.Ordinal);

        string id = _containerd.NewId();
        (await _containerd.CtrAsync(
            ["run", "--detach", .. ContainerdFixture.Runtime, ContainerdFixture.Image, id, "sleep", "100000"])).Ok();
        Assert.Equal(3, (await _containerd.CtrAsync("tasks", "exec", "--exec-id", "e1", id, "sh", "-c", "exit 3")).ExitCode);
        (await _containerd.CtrAsync("tasks", "pause", id)).Ok();
        (await _containerd.CtrAsync("tasks", "resume", id)).Ok();
        Assert.Contains("memory", (await _containerd.CtrAsync("tasks", "metrics", id)).Ok().Text, StringComparison.Ordinal);

        await _containerd.RestartAsync();
        Assert.Equal("again", (await _containerd.CtrAsync("tasks", "exec", "--exec-id", "e2", id, "echo", "again")).Ok().Text);
        await _containerd.CtrAsync("tasks", "delete", "--force", id); // its own status is that of the container: 137
        (await _containerd.CtrAsync("containers", "delete", id)).Ok();
        await _containerd.AssertCleanAsync();
    }
}
