using System.Text.Json;

namespace Kata.Integration.Tests.Cri;

/// <summary>
/// What a kubelet needs of every version of containerd, in one life of a pod: the other tests ask this system's version for more.
/// </summary>
public abstract class CriVersionTests
{
    private readonly CriFixture _cri;

    protected CriVersionTests(CriFixture cri)
    {
        CriFixture.RequireCri();
        Assert.SkipWhen(cri.Missing is not null, cri.Missing ?? "");
        _cri = cri;
    }

    private protected async Task LiveAsync(string handler, bool ownContainer)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler, static config =>
        {
            config.Hostname = "the-pod";
            config.DnsConfig = new DNSConfig { Servers = { "10.0.0.53" }, Searches = { "svc.example.org" }, Options = { "ndots:5" } };
            config.Linux.Sysctls.Add("kernel.shm_rmid_forced", "1");
            config.Linux.Sysctls.Add("net.ipv4.ip_unprivileged_port_start", "80");
            config.Linux.Resources = new LinuxContainerResources
            {
                CpuPeriod = 100_000,
                CpuQuota = 100_000,
                MemoryLimitInBytes = 128 << 20,
            };
        });
        ContainerStatus first = await pod.RunToEndAsync("first", ["sh", "-c", "echo out; echo err >&2; exit 3"]);
        Assert.Equal(3, first.ExitCode);
        await pod.LogBecomesAsync("first", "out\n");
        await pod.LogBecomesAsync("first", "err\n", "stderr");
        string one = await pod.RunContainerAsync("one", ["sleep", "100000"]);
        string two = await pod.RunContainerAsync(
            "two", ["sleep", "100000"], static config => config.Linux.SecurityContext.ReadonlyRootfs = true);

        Assert.Equal("the-pod the-pod", await pod.ShellAsync(one, "echo $(hostname) $(cat /etc/hostname)"));
        Assert.Equal(
            "search svc.example.org\nnameserver 10.0.0.53\noptions ndots:5", await pod.ShellAsync(two, "grep -v '^$' /etc/resolv.conf"));
        Assert.Contains("localhost", await pod.ShellAsync(two, "cat /etc/hosts"), StringComparison.Ordinal);
        Assert.Equal("read-only", await pod.ShellAsync(two, "echo x >> /etc/hosts || echo read-only"));
        Assert.Equal(
            "1 80",
            await pod.ShellAsync(one, "echo $(cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start)"));
        await pod.ShellAsync(one, "echo shared > /dev/shm/file");
        Assert.Equal("shared", await pod.ShellAsync(two, "cat /dev/shm/file"));
        Assert.Equal("65536", await pod.ShellAsync(two, "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2"));
        Assert.Equal(await pod.ShellAsync(one, Namespaces), await pod.ShellAsync(two, Namespaces));
        Assert.Equal("2", await pod.ShellAsync(one, "nproc")); // default_vcpus and the pod's

        // A containerd that is killed finds everything again.
        await _cri.KillAsync();
        Assert.Equal(
            PodSandboxState.SandboxReady,
            (await _cri.Client.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = pod.Id })).Status.State);
        Assert.Equal((5, "said", "wrong"), await pod.ExecAsync(one, "sh", "-c", "echo said; echo wrong >&2; exit 5"));
        await pod.StopContainerAsync(one, 0);
        Assert.Equal(137, (await pod.StatusAsync(one)).ExitCode);
        await pod.RemoveContainerAsync(one);
        Assert.Equal(ContainerState.ContainerRunning, (await pod.StatusAsync(two)).State);
        Assert.Equal("again", (await pod.ExecAsync(await pod.RunContainerAsync("again", ["sleep", "100000"]), "echo", "again")).Output);

        using (var state = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_cri.Root, pod.Id, "state.json"))))
        {
            Assert.Equal(
                ownContainer,
                state.RootElement.GetProperty("containers").EnumerateArray().Any(item => item.GetProperty("id").GetString() == pod.Id));
        }

        await pod.EndAsync();
    }

    private const string Namespaces = "for kind in ipc uts net; do readlink /proc/self/ns/$kind; done";
}
