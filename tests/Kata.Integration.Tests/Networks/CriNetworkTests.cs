using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Cri;
using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Integration.Tests.Networks;

/// <summary>The network of pods as a kubelet makes it, with the bridge, portmap and bandwidth plugins; with ours and with runc.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CriNetworkTests : IClassFixture<CriNetworkFixture>
{
    private readonly CriNetworkFixture _cri;

    public CriNetworkTests(CriNetworkFixture cri)
    {
        CriFixture.RequireCri();
        Assert.SkipWhen(EngineNetwork.Problem is not null, EngineNetwork.Problem ?? "");
        _cri = cri;
    }

    [Theory]
    [InlineData(CriFixture.Kata, 18083)]
    [InlineData(CriFixture.Runc, 18084)]
    public async Task Pod_WithAHostPort_IsReachedAndLeavesNothing(string handler, int hostPort)
    {
        string before = await _cri.Network.StateAsync();
        string group = string.Create(CultureInfo.InvariantCulture, $"/kata-network-{Environment.ProcessId}-{handler}");
        CgroupHierarchy[] hierarchies = [.. CgroupLayout.Read().Hierarchies.DistinctBy(static item => item.MountPoint)];
        foreach (CgroupHierarchy hierarchy in hierarchies)
        {
            HostCgroup.Create(hierarchy, group); // a pod's statistics are read from there
        }

        CriPod pod = await CriPod.RunAsync(_cri, handler, config =>
        {
            config.Linux.CgroupParent = group;
            config.PortMappings.Add(new PortMapping { ContainerPort = 80, HostPort = hostPort });
            config.Annotations.Add("kubernetes.io/ingress-bandwidth", "100M");
            config.Annotations.Add("kubernetes.io/egress-bandwidth", "100M");
        });
        string address = (await _cri.Client.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = pod.Id })).Status.Network.Ip;
        string one = await pod.RunContainerAsync("one", Server("first", 80));
        string two = await pod.RunContainerAsync("two", Server("second", 8002));

        Assert.Contains($" {address}/16 ", await pod.ShellAsync(one, "busybox ip -o -4 address show dev eth0"), StringComparison.Ordinal);
        Assert.Contains("default via 10.88.0.1 dev eth0", await pod.ShellAsync(two, "busybox ip route"), StringComparison.Ordinal);
        await _cri.Network.PingAsync(address);
        Assert.Equal("first", await _cri.Network.FetchAsync($"http://{address}/name"));
        Assert.Equal("second", await _cri.Network.FetchAsync($"http://{address}:8002/name"));
        Assert.Equal("first", await _cri.Network.FetchAsync($"http://127.0.0.1:{hostPort}/name"));
        Assert.Equal("second", await pod.ShellAsync(one, "busybox wget -q -O - http://127.0.0.1:8002/name"));
        Assert.Equal("first", await pod.ShellAsync(two, "busybox wget -q -O - http://127.0.0.1/name"));
        Assert.Contains("tbf", await _cri.Network.StateAsync(), StringComparison.Ordinal); // the bandwidth plugin's

        NetworkInterfaceUsage usage = (await _cri.Client.PodSandboxStatsAsync(
            new PodSandboxStatsRequest { PodSandboxId = pod.Id })).Stats.Linux.Network.DefaultInterface;
        Assert.Equal("eth0", usage.Name);
        Assert.True(usage is { RxBytes.Value: > 0, TxBytes.Value: > 0 }, usage.ToString());

        await pod.EndAsync();
        foreach (CgroupHierarchy hierarchy in hierarchies)
        {
            Assert.Equal(0, LibC.rmdir(hierarchy.MountPoint + group));
        }

        Assert.Equal(before, await _cri.Network.StateAsync());
    }

    // The pod is one of containerd's, which no configuration of the plugin names.
    [Fact]
    public async Task Pod_ThatRuns_GetsASecondInterfaceWhenOurPluginReturns()
    {
        CriPod pod = await CriPod.RunAsync(_cri, CriFixture.Kata);
        string one = await pod.RunContainerAsync("one", ["sleep", "100000"]);
        PodSandboxStatusResponse status = await _cri.Client.PodSandboxStatusAsync(
            new PodSandboxStatusRequest { PodSandboxId = pod.Id, Verbose = true });
        string path = JsonNode.Parse(status.Info["info"])!["runtimeSpec"]!["linux"]!["namespaces"]!.AsArray()
            .Single(static item => item!["type"]!.ToString() == "network")!["path"]!.ToString();
        foreach (string step in (string[])
            [
                "link add net1 address 02:89:00:00:00:02 type veth peer name far1", "addr add 10.89.0.2/24 dev net1", "link set far1 up",
                "link set net1 up", "route add 10.90.0.0/16 via 10.89.0.1",
            ])
        {
            (await _cri.Network.RunAsync(["/usr/bin/nsenter", $"--net={path}", "/usr/sbin/ip", .. step.Split(' ')])).Ok();
        }

        string configuration = $$"""
            {"cniVersion":"0.4.0","name":"second","prevResult":{
             "interfaces":[{"name":"net1","mac":"02:89:00:00:00:02","sandbox":"{{path}}"}],
             "ips":[{"version":"4","address":"10.89.0.2/24","interface":0}]} }
            """;
        Assert.Contains("\"version\":\"4\"", (await PluginAsync("ADD", path, configuration)).Ok().Text, StringComparison.Ordinal);
        string seen = await pod.ShellAsync(one, "busybox ip addr show net1; busybox ip route");
        Assert.Contains("inet 10.89.0.2/24", seen, StringComparison.Ordinal);
        Assert.Contains("10.90.0.0/16 via 10.89.0.1 dev net1", seen, StringComparison.Ordinal);
        (await PluginAsync("CHECK", path, configuration)).Ok();
        CommandResult another = await PluginAsync(
            "CHECK", path, configuration.Replace("10.89.0.2/", "10.89.0.3/", StringComparison.Ordinal));
        Assert.Contains(pod.Id, another.Text, StringComparison.Ordinal);
        Assert.Contains("'net1' does not have the address '10.89.0.3/24' in the guest", another.Text, StringComparison.Ordinal);
        (await PluginAsync("DEL", path, configuration)).Ok();
        await pod.EndAsync();
    }

    private async Task<CommandResult> PluginAsync(string command, string path, string configuration)
    {
        using RunningCommand plugin = RunningCommand.Start(
            "/usr/bin/env",
            [
                $"CNI_COMMAND={command}", "CNI_CONTAINERID=c1", $"CNI_NETNS={path}", "CNI_IFNAME=net1", .. _cri.Network.Launcher,
                _cri.KataPlugin,
            ]);
        return await plugin.FinishAsync(RuntimeFixture.Bytes(configuration), RuntimeFixture.Limit);
    }

    private static string[] Server(string text, int port) =>
        ["sh", "-c", $"mkdir -p /www; echo {text} > /www/name; exec busybox httpd -f -p {port} -h /www"];
}
