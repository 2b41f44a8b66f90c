using System.Text.Json;
using System.Text.RegularExpressions;
using Kata.Integration.Tests.Clients;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Networks;

/// <summary>docker's networks of Debian 12, as their users use them.</summary>
[Collection(ContainersGroup.Name)]
public sealed partial class DockerNetworkTests(DockerNetworkFixture docker)
    : EngineNetworkTests(docker), IClassFixture<DockerNetworkFixture>
{
    [Fact]
    public async Task DefaultBridge_WithAPublishedPort_IsAsWithoutAMachine()
    {
        string before = await docker.Network.StateAsync();
        string name = await docker.StartContainerAsync(
            ["--publish", "18080:80", "--dns", "192.0.2.53", "--sysctl", "net.ipv4.ip_forward=1", .. HostPrograms], Server("first"));
        string[] addresses = (await InspectAsync(
            name, "{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Gateway}} {{.NetworkSettings.MacAddress}}")).Split(' ');
        (string address, string gateway, string hardware) = (addresses[0], addresses[1], addresses[2]);

        Assert.Contains($" {address}/16 ", await ShellAsync(name, $"{AddressOf} eth0"), StringComparison.Ordinal);
        Assert.Equal(hardware, await ShellAsync(name, "cat /sys/class/net/eth0/address"));
        Assert.Contains($"default via {gateway} dev eth0", await ShellAsync(name, "busybox ip route"), StringComparison.Ordinal);
        Assert.Equal("nameserver 192.0.2.53", await ShellAsync(name, "cat /etc/resolv.conf"));
        Assert.Equal("1", await ShellAsync(name, "cat /proc/sys/net/ipv4/ip_forward"));
        await PingAsync(name, gateway);
        // Without capabilities, as docker's net.ipv4.ping_group_range allows.
        Assert.Equal(
            "reply 0",
            (await docker.EngineAsync("exec", "--user", "1000:1000", name, "/usr/bin/perl", "-e", UnprivilegedPing, gateway)).Ok().Text);
        Assert.Equal("first", await docker.Network.FetchAsync("http://127.0.0.1:18080/name"));
        Assert.Equal("first", await docker.Network.FetchAsync($"http://{address}/name"));

        string stats = (await docker.EngineAsync("stats", "--no-stream", "--format", "{{.NetIO}}", name)).Ok().Text;
        Assert.Matches(BothCounted(), stats);
        string events = (await docker.RunAsync("events", "--stats", await InspectAsync(name, "{{.Id}}"))).Ok().Text;
        Assert.True(
            JsonDocument.Parse(events).RootElement.GetProperty("data").GetProperty("network_interfaces").EnumerateArray().First(
                static item => item.GetProperty("Name").GetString() == "eth0").GetProperty("RxBytes").GetInt64() > 0,
            events);

        (await docker.EngineAsync("restart", "--time", "0", name)).Ok();
        Assert.Equal("first", await docker.Network.FetchAsync("http://127.0.0.1:18080/name"));
        (await docker.RemoveAsync(name)).Ok();
        Assert.Equal(before, await docker.Network.StateAsync());
        await docker.AssertCleanAsync();
    }

    [Fact]
    public async Task UserDefinedBridges_ConnectContainers_AlsoThoseThatRun()
    {
        (await docker.EngineAsync("network", "create", "--subnet", "10.91.0.0/24", "one")).Ok();
        (await docker.EngineAsync("network", "create", "--subnet", "10.92.0.0/24", "two")).Ok();
        string before = await docker.Network.StateAsync();
        string first = await docker.StartContainerAsync(
            [
                "--network", "one", "--ip", "10.91.0.77", "--mac-address", "02:42:0a:5b:00:99", "--add-host", "box:192.0.2.9",
                "--dns", "192.0.2.53",
            ],
            Server("first"));
        string second = await docker.StartContainerAsync(["--network", "one"], "sleep", "100000");

        Assert.Contains(" 10.91.0.77/24 ", await ShellAsync(first, $"{AddressOf} eth0"), StringComparison.Ordinal);
        Assert.Equal("02:42:0a:5b:00:99", await ShellAsync(first, "cat /sys/class/net/eth0/address"));
        Assert.Equal("192.0.2.9", await ShellAsync(first, "grep box /etc/hosts | cut -f 1"));
        Assert.Equal("nameserver 127.0.0.11", await ShellAsync(first, "grep nameserver /etc/resolv.conf")); // it asks the other
        await PingAsync(second, "10.91.0.77");
        Assert.Equal("first", await FetchAsync(second, "http://10.91.0.77/name"));
        Assert.Equal("first", await FetchAsync(second, $"http://{first}/name")); // by docker's name server, which is in the namespace

        (await docker.EngineAsync("network", "connect", "--ip", "10.92.0.77", "two", first)).Ok();
        await InterfacesBecomeAsync(first, "eth0 eth1");
        await docker.Network.PingAsync("10.92.0.77");
        Assert.Equal("first", await docker.Network.FetchAsync("http://10.92.0.77/name"));
        Assert.Equal("first", await FetchAsync(second, "http://10.91.0.77/name"));

        (await docker.EngineAsync("network", "disconnect", "two", first)).Ok();
        await InterfacesBecomeAsync(first, "eth0");
        Assert.Equal("first", await FetchAsync(second, "http://10.91.0.77/name"));
        (await docker.RemoveAsync(first)).Ok();
        (await docker.RemoveAsync(second)).Ok();
        Assert.Equal(before, await docker.Network.StateAsync());
        await docker.AssertCleanAsync();
        (await docker.EngineAsync("network", "rm", "one", "two")).Ok();
    }

    // docker's name server asks from within the pod's namespace, and the answer arrives at the pod's interface.
    [Fact]
    public async Task Names_ThatDockerDoesNotKnow_AreAskedOfOthers()
    {
        (await docker.EngineAsync("network", "create", "--subnet", "10.93.0.0/24", "names")).Ok();
        string server = await docker.StartContainerAsync(
            ["--network", "names", "--ip", "10.93.0.53", .. HostPrograms], "/usr/bin/perl", "-e", NameServer, "10.93.0.53", "192.0.2.99");
        string asking = await docker.StartContainerAsync(["--network", "names", "--dns", "10.93.0.53"], "sleep", "100000");
        Assert.Contains(
            "192.0.2.99",
            await ShellAsync(asking, "for i in 1 2 3 4 5; do busybox nslookup outside.example && break; sleep 0.2; done 2>&1"),
            StringComparison.Ordinal);
        (await docker.RemoveAsync(asking)).Ok();
        (await docker.RemoveAsync(server)).Ok();
        (await docker.EngineAsync("network", "rm", "names")).Ok();
        await docker.AssertCleanAsync();
    }

    [Fact]
    public async Task NetworkOfAContainer_IsItsMachine()
    {
        string before = await docker.Network.StateAsync();
        string first = await docker.StartContainerAsync([], Server("first", 8001));
        string second = await docker.StartContainerAsync(["--network", $"container:{first}"], Server("second", 8002));

        Assert.Equal(1, EngineFixture.MachinesOf(await InspectAsync(first, "{{.Id}}"), await InspectAsync(second, "{{.Id}}")));
        Assert.Equal(await ShellAsync(first, $"{AddressOf} eth0"), await ShellAsync(second, $"{AddressOf} eth0"));
        Assert.Equal("second", await FetchAsync(first, "http://127.0.0.1:8002/name"));
        Assert.Equal("first", await FetchAsync(second, "http://127.0.0.1:8001/name"));
        Assert.Equal(
            "second", await docker.Network.FetchAsync($"http://{await InspectAsync(first, "{{.NetworkSettings.IPAddress}}")}:8002/name"));

        (await docker.RemoveAsync(first)).Ok(); // and with it what it had on the bridge
        Assert.Equal("second", await FetchAsync(second, "http://127.0.0.1:8002/name"));
        (await docker.RemoveAsync(second)).Ok();
        Assert.Equal(before, await docker.Network.StateAsync());
        await docker.AssertCleanAsync();
    }

    [Fact]
    public async Task Container_ThatStartsAgain_LeavesThoseThatShareItsNetworkWhereTheyAre()
    {
        string first = await docker.StartContainerAsync([], "sleep", "100000");
        string second = await docker.StartContainerAsync(["--network", $"container:{first}"], "sleep", "100000");

        (await docker.EngineAsync("restart", "--time", "0", first)).Ok();
        Assert.Equal("alive", await ShellAsync(second, "echo alive"));
        await InterfacesBecomeAsync(second, ""); // the engine has taken it away
        await PingAsync(first, "172.17.0.1");
        (await docker.EngineAsync("restart", "--time", "0", second)).Ok(); // and comes to the first one's new machine
        await PingAsync(second, "172.17.0.1");
        Assert.Equal(1, EngineFixture.MachinesOf(await InspectAsync(first, "{{.Id}}"), await InspectAsync(second, "{{.Id}}")));
        (await docker.RemoveAsync(second)).Ok();
        (await docker.RemoveAsync(first)).Ok();
        await docker.AssertCleanAsync();
    }

    [Fact]
    public async Task NetworkOfTheHost_IsRefused()
    {
        CommandResult result = await docker.RunContainerAsync(["--network", "host"], "true");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("it is the host's", result.Error, StringComparison.Ordinal);
        Assert.Contains("disable_new_netns", result.Error, StringComparison.Ordinal);
        await docker.AssertCleanAsync();
    }

    [Fact]
    public async Task NoNetwork_IsTheLoopbackAlone() =>
        Assert.Equal(
            ["lo", "127.0.0.1/8"],
            (await docker.RunContainerAsync(
                ["--network", "none"], "sh", "-c",
                "ls /sys/class/net | grep -v -e tunl -e sit; busybox ip -o -4 address | tr -s ' ' | cut -d ' ' -f 4")).Ok().Lines);

    private async Task<string> InspectAsync(string container, string format) =>
        (await docker.EngineAsync("inspect", "--format", format, container)).Ok().Text;

    [GeneratedRegex(@"^[\d.]*[1-9][\d.]*k?B / [\d.]*[1-9][\d.]*k?B$")]
    private static partial Regex BothCounted();
}
