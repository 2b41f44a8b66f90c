using Kata.Integration.Tests.Clients;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>docker's networks of Debian 13, with ours as its runtime by path and by containerd's shim.</summary>
[Collection(ContainersGroup.Name)]
public sealed class NewerDockerNetworkTests(NewerDockerNetworkFixture docker)
    : EngineNetworkTests(docker), IClassFixture<NewerDockerNetworkFixture>
{
    [Theory]
    [InlineData("kata", 18085)]
    [InlineData("io.containerd.kata.v2", 18086)]
    public async Task Networks_OfAContainer_AreItsGuestsAndChangeWhileItRuns(string runtime, int port)
    {
        (await docker.EngineAsync("network", "create", "--subnet", "10.94.0.0/24", $"more{port}")).Ok();
        string before = await docker.Network.StateAsync();
        string name = await docker.StartContainerAsync(["--runtime", runtime, "--publish", $"{port}:80"], Server("first"));
        string[] ids = (await docker.EngineAsync(
            "inspect", "--format", "{{.NetworkSettings.Networks.bridge.IPAddress}} {{.Id}}", name)).Ok().Text.Split(' ');
        (string address, string id) = (ids[0], ids[1]);

        Assert.Contains($" {address}/16 ", await ShellAsync(name, $"{AddressOf} eth0"), StringComparison.Ordinal);
        Assert.Contains("default via 172.17.0.1 dev eth0", await ShellAsync(name, "busybox ip route"), StringComparison.Ordinal);
        await PingAsync(name, "172.17.0.1");
        Assert.Equal("first", await docker.Network.FetchAsync($"http://127.0.0.1:{port}/name"));
        Assert.Equal("first", await docker.Network.FetchAsync($"http://{address}/name"));

        (await docker.EngineAsync("network", "connect", "--ip", "10.94.0.77", $"more{port}", name)).Ok();
        await InterfacesBecomeAsync(name, "eth0 eth1");
        Assert.Equal("first", await docker.Network.FetchAsync("http://10.94.0.77/name"));
        (await docker.EngineAsync("network", "disconnect", $"more{port}", name)).Ok();
        await InterfacesBecomeAsync(name, "eth0");
        Assert.Equal("first", await docker.Network.FetchAsync($"http://{address}/name"));

        string second = await docker.StartContainerAsync(
            ["--runtime", runtime, "--network", $"container:{name}"], Server("second", 8002));
        Assert.Equal("second", await FetchAsync(name, "http://127.0.0.1:8002/name"));
        (await docker.RemoveAsync(second)).Ok();

        (await docker.EngineAsync("restart", "--time", "0", name)).Ok();
        Assert.Equal("first", await docker.Network.FetchAsync($"http://127.0.0.1:{port}/name"));
        (await docker.RemoveAsync(name)).Ok();
        Assert.Equal(before, await docker.Network.StateAsync());
        (await docker.EngineAsync("network", "rm", $"more{port}")).Ok();
        await HostSnapshot.AssertCleanAsync(NewerDockerFixture.ShimRoot, id);
    }
}
