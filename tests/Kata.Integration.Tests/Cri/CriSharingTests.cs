using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Cri;

/// <summary>What the containers of a pod share, and what they do not.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CriSharingTests : IClassFixture<CriFixture>
{
    private readonly CriFixture _cri;

    public CriSharingTests(CriFixture cri)
    {
        CriFixture.RequireCri();
        _cri = cri;
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Pod_Containers_ShareNamesMemoryAndSettings(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler, static config =>
        {
            config.Hostname = "the-pod";
            config.DnsConfig = new DNSConfig { Servers = { "10.0.0.53" }, Searches = { "svc.example.org" }, Options = { "ndots:5" } };
            config.Linux.Sysctls.Add("kernel.shm_rmid_forced", "1");
            config.Linux.Sysctls.Add("net.ipv4.ip_unprivileged_port_start", "80");
        });
        string one = await pod.RunContainerAsync("one", ["sleep", "100000"]);
        string two = await pod.RunContainerAsync("two", ["sleep", "100000"]);

        Assert.Equal("the-pod the-pod", await pod.ShellAsync(one, "echo $(hostname) $(cat /etc/hostname)"));
        Assert.Equal("the-pod", await pod.ShellAsync(two, "hostname"));
        Assert.Equal(
            ["search svc.example.org", "nameserver 10.0.0.53", "options ndots:5"],
            (await pod.ShellAsync(two, "cat /etc/resolv.conf")).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(
            "1 80",
            await pod.ShellAsync(one, "echo $(cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start)"));

        await pod.ShellAsync(one, "echo shared > /dev/shm/file");
        Assert.Equal("shared", await pod.ShellAsync(two, "cat /dev/shm/file"));
        Assert.Equal("65536", await pod.ShellAsync(two, "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2"));
        Assert.Equal(await NamespaceAsync(pod, one, "ipc"), await NamespaceAsync(pod, two, "ipc"));
        Assert.Equal(await NamespaceAsync(pod, one, "uts"), await NamespaceAsync(pod, two, "uts"));
        Assert.Equal(await NamespaceAsync(pod, one, "net"), await NamespaceAsync(pod, two, "net"));
        Assert.NotEqual(await NamespaceAsync(pod, one, "pid"), await NamespaceAsync(pod, two, "pid"));
        Assert.NotEqual(await NamespaceAsync(pod, one, "mnt"), await NamespaceAsync(pod, two, "mnt"));
        await pod.EndAsync();
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Pod_WithOnePidNamespace_ShowsProcessesToAll(string handler)
    {
        CriPod pod = await CriPod.RunAsync(
            _cri, handler, static config => config.Linux.SecurityContext.NamespaceOptions.Pid = NamespaceMode.Pod);
        string one = await pod.RunContainerAsync("one", ["sleep", "111111"]);
        string two = await pod.RunContainerAsync("two", ["sleep", "222222"]);

        string[] seen = (await pod.ShellAsync(two, "ps -o args")).Split('\n');
        Assert.Contains("sleep 1000000", seen); // the pod's own
        Assert.Contains("sleep 111111", seen);
        Assert.Contains("sleep 222222", seen);
        Assert.Equal(await NamespaceAsync(pod, one, "pid"), await NamespaceAsync(pod, two, "pid"));
        await pod.StopContainerAsync(one, 0);
        Assert.DoesNotContain("sleep 111111", (await pod.ShellAsync(two, "ps -o args")).Split('\n'));
        await pod.EndAsync();
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Container_ThatLooksIntoAnother_SeesItsProcesses(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string target = await pod.RunContainerAsync("target", ["sleep", "111111"]);
        string debug = await pod.RunContainerAsync("debug", ["sleep", "222222"], config =>
            config.Linux.SecurityContext.NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Target, TargetId = target });

        Assert.Contains("sleep 111111", (await pod.ShellAsync(debug, "ps -o args")).Split('\n'));
        await pod.EndAsync();
    }

    private static Task<string> NamespaceAsync(CriPod pod, string container, string kind) =>
        pod.ShellAsync(container, $"ls -l /proc/self/ns/{kind} | sed 's/.* //'");
}
