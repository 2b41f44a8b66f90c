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

    [Fact]
    public async Task Pod_OfTwoContainers_IsOneMachine()
    {
        const string BootId = "/proc/sys/kernel/random/boot_id";
        (await podman.EngineAsync("pod", "create", "--name", "pod1", "--network", "none", "--infra-image", EngineFixture.Image, "--infra-command", "sleep 100000")).Ok();
        (await podman.EngineAsync("run", "--detach", "--pod", "pod1", "--name", "pod1-a", EngineFixture.Image, "sleep", "100000")).Ok();
        string second = (await podman.EngineAsync("run", "--rm", "--pod", "pod1", EngineFixture.Image, "cat", BootId)).Ok().Text;

        Assert.Equal((await podman.EngineAsync("exec", "pod1-a", "cat", BootId)).Ok().Text, second);
        string[] ids = (await podman.EngineAsync("ps", "--all", "--no-trunc", "--filter", "pod=pod1", "--format", "{{.ID}}")).Ok().Lines;
        Assert.Equal(2, ids.Length);
        Assert.Equal(1, EngineFixture.MachinesOf(ids));
        (await podman.EngineAsync("pod", "rm", "--force", "--time", "0", "pod1")).Ok();
        await podman.AssertCleanAsync();
    }
}
