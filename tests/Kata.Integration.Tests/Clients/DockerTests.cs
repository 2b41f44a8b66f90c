using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

/// <summary>docker of Debian 12, with the runtime registered by its path.</summary>
[Collection(ContainersGroup.Name)]
public sealed class DockerTests(DockerFixture docker) : EngineTests(docker), IClassFixture<DockerFixture>
{
    [Fact]
    public async Task Restart_OfTheDaemon_ContainersLiveOn()
    {
        string name = await docker.StartContainerAsync([], "sleep", "100000");

        await docker.RestartDaemonAsync();
        CommandResult result = await docker.EngineAsync("exec", name, "echo", "alive");
        (await docker.RemoveAsync(name)).Ok();

        Assert.Equal("alive", result.Ok().Text);
    }
}
