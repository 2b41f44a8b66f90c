using System.Globalization;
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

    private static string[] Server(string text, int port) =>
        ["sh", "-c", $"mkdir -p /www; echo {text} > /www/name; exec busybox httpd -f -p {port} -h /www"];
}
