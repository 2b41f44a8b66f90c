using Kata.Integration.Tests.Clients;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>podman's networks of Debian 12, as their users use them.</summary>
[Collection(ContainersGroup.Name)]
public sealed class PodmanNetworkTests(PodmanNetworkFixture podman) : EngineNetworkTests(podman), IClassFixture<PodmanNetworkFixture>
{
    [Fact]
    public async Task Networks_OfAContainer_AreItsGuestsAndChangeWhileItRuns()
    {
        string before = await podman.Network.StateAsync();
        string name = await podman.StartContainerAsync(
            [
                "--network", "bridge", "--publish", "18081:80", "--dns", "192.0.2.53", "--sysctl", "net.ipv4.ip_forward=1", .. HostPrograms,
            ],
            Server("first"));
        string[] addresses = (await InspectAsync(name, "{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Gateway}}")).Split(' ');
        (string address, string gateway) = (addresses[0], addresses[1]);

        Assert.Contains($" {address}/24 ", await ShellAsync(name, $"{AddressOf} eth0"), StringComparison.Ordinal);
        Assert.Contains($"default via {gateway} dev eth0", await ShellAsync(name, "busybox ip route"), StringComparison.Ordinal);
        Assert.Equal("nameserver 192.0.2.53", await ShellAsync(name, "grep nameserver /etc/resolv.conf"));
        Assert.Equal("1", await ShellAsync(name, "cat /proc/sys/net/ipv4/ip_forward"));
        // podman gives no capability for it, but net.ipv4.ping_group_range.
        Assert.Equal(
            "reply 0", (await podman.EngineAsync("exec", name, "/usr/bin/perl", "-e", UnprivilegedPing, gateway)).Ok().Text);
        Assert.Equal("first", await podman.Network.FetchAsync("http://127.0.0.1:18081/name"));
        Assert.Equal("first", await podman.Network.FetchAsync($"http://{address}/name"));

        (await podman.EngineAsync("network", "connect", PodmanNetworkFixture.More, name)).Ok();
        await InterfacesBecomeAsync(name, "eth0 eth1");
        Assert.Equal("first", await podman.Network.FetchAsync(
            $"http://{await InspectAsync(name, $"{{{{.NetworkSettings.Networks.{PodmanNetworkFixture.More}.IPAddress}}}}")}/name"));
        (await podman.EngineAsync("network", "disconnect", PodmanNetworkFixture.More, name)).Ok();
        await InterfacesBecomeAsync(name, "eth0");
        Assert.Equal("first", await podman.Network.FetchAsync($"http://{address}/name"));

        (await podman.EngineAsync("restart", "--time", "0", name)).Ok();
        Assert.Equal("first", await podman.Network.FetchAsync("http://127.0.0.1:18081/name"));
        (await podman.RemoveAsync(name)).Ok();
        Assert.Equal(before, await podman.Network.StateAsync());
        await podman.AssertCleanAsync();
    }

    [Fact]
    public async Task Pod_WithAPublishedPort_HasOneNetworkForItsContainers()
    {
        string before = await podman.Network.StateAsync();
        (await podman.EngineAsync(
            "pod", "create", "--name", "pod1", "--network", "bridge", "--publish", "18082:8001", "--infra-image", EngineFixture.Image,
            "--infra-command", "sleep 100000")).Ok();
        string first = await podman.StartContainerAsync(["--pod", "pod1"], Server("first", 8001));
        string second = await podman.StartContainerAsync(["--pod", "pod1"], Server("second", 8002));

        Assert.Equal("first", await podman.Network.FetchAsync("http://127.0.0.1:18082/name"));
        Assert.Equal("second", await FetchAsync(first, "http://127.0.0.1:8002/name"));
        Assert.Equal("first", await FetchAsync(second, "http://127.0.0.1:8001/name"));
        Assert.Equal(await ShellAsync(first, $"{AddressOf} eth0"), await ShellAsync(second, $"{AddressOf} eth0"));

        // As 'podman pod restart', without ten seconds of patience for each: the pod's first container begins again while the others live.
        string infra = (await podman.EngineAsync("pod", "inspect", "--format", "{{.InfraContainerID}}", "pod1")).Ok().Text;
        foreach (string container in new[] { infra, first, second })
        {
            (await podman.EngineAsync("restart", "--time", "0", container)).Ok();
        }

        Assert.Equal("first", await podman.Network.FetchAsync("http://127.0.0.1:18082/name"));
        Assert.Equal("second", await FetchAsync(first, "http://127.0.0.1:8002/name"));
        (await podman.EngineAsync("pod", "rm", "--force", "--time", "0", "pod1")).Ok();
        Assert.Equal(before, await podman.Network.StateAsync());
        await podman.AssertCleanAsync();
    }

    [Fact]
    public async Task NetworkOfAContainer_IsItsMachine()
    {
        string before = await podman.Network.StateAsync();
        string first = await podman.StartContainerAsync(["--network", "bridge"], Server("first", 8001));
        string second = await podman.StartContainerAsync(["--network", $"container:{first}"], Server("second", 8002));

        Assert.Equal(1, EngineFixture.MachinesOf(await InspectAsync(first, "{{.Id}}"), await InspectAsync(second, "{{.Id}}")));
        Assert.Equal(await ShellAsync(first, $"{AddressOf} eth0"), await ShellAsync(second, $"{AddressOf} eth0"));
        Assert.Equal("second", await FetchAsync(first, "http://127.0.0.1:8002/name"));
        Assert.Equal("first", await FetchAsync(second, "http://127.0.0.1:8001/name"));
        Assert.Equal(
            "second", await podman.Network.FetchAsync($"http://{await InspectAsync(first, "{{.NetworkSettings.IPAddress}}")}:8002/name"));

        (await podman.RemoveAsync(second)).Ok(); // podman refuses to remove what another one depends on
        Assert.Equal("first", await FetchAsync(first, "http://127.0.0.1:8001/name"));
        (await podman.RemoveAsync(first)).Ok();
        Assert.Equal(before, await podman.Network.StateAsync());
        await podman.AssertCleanAsync();
    }

    private async Task<string> InspectAsync(string container, string format) =>
        (await podman.EngineAsync("inspect", "--format", format, container)).Ok().Text;
}
