using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

/// <summary>podman of Debian 12 with <c>--runtime</c>.</summary>
[Collection(ContainersGroup.Name)]
public sealed class PodmanTests(PodmanFixture podman) : EngineTests(podman), IClassFixture<PodmanFixture>
{
    [Fact]
    public async Task Top_OfAContainer_ShowsNothingOfTheHost()
    {
        string name = await podman.StartContainerAsync([], "sleep", "100000");

        CommandResult result = await podman.EngineAsync("top", name, "pid", "args");
        (await podman.RemoveAsync(name)).Ok();

        Assert.Equal(2, result.Ok().Lines.Length); // the heading, and what stands for the container on the host
    }
}
