using Grpc.Core;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Cri;

/// <summary>Pods and containers as a kubelet drives them, with ours and with runc: what a user of either must be able to rely on.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CriPodTests : IClassFixture<CriFixture>
{
    private readonly CriFixture _cri;

    public CriPodTests(CriFixture cri)
    {
        CriFixture.RequireCri();
        _cri = cri;
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Pod_OfSeveralContainers_LivesItsLife(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        PodSandboxStatus status = (await _cri.Client.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = pod.Id })).Status;
        Assert.Equal(PodSandboxState.SandboxReady, status.State);

        // Containers that prepare, one after the other, then two beside each other.
        ContainerStatus first = await pod.RunToEndAsync("first", ["sh", "-c", "echo out; echo err >&2; exit 3"]);
        Assert.Equal(3, first.ExitCode);
        Assert.Equal("Error", first.Reason);
        await pod.LogBecomesAsync("first", "out\n");
        await pod.LogBecomesAsync("first", "err\n", "stderr");
        Assert.Equal("Completed", (await pod.RunToEndAsync("second", ["true"])).Reason);
        string one = await pod.RunContainerAsync("one", ["sleep", "100000"]);
        string two = await pod.RunContainerAsync("two", ["sleep", "100000"]);

        Assert.Equal((5, "said", "wrong"), await pod.ExecAsync(one, "sh", "-c", "echo said; echo wrong >&2; exit 5"));
        Assert.Equal(
            await pod.ShellAsync(one, "cat /proc/sys/kernel/random/boot_id"),
            await pod.ShellAsync(two, "cat /proc/sys/kernel/random/boot_id"));

        await pod.StopContainerAsync(one, 0);
        Assert.Equal(137, (await pod.StatusAsync(one)).ExitCode);
        await pod.RemoveContainerAsync(one);
        Assert.Equal(ContainerState.ContainerRunning, (await pod.StatusAsync(two)).State);
        await pod.EndAsync();
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Container_WithEveryField_IsMadeSo(string handler)
    {
        string volume = Directory.CreateDirectory(Path.Combine(_cri.DirectoryPath, "volume-" + handler)).FullName;
        await File.WriteAllTextAsync(Path.Combine(volume, "file"), "of the host", TestContext.Current.CancellationToken);
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string id = await pod.RunContainerAsync("main", ["sleep", "100000"], config =>
        {
            config.Envs.Add(new KeyValue { Key = "GREETING", Value = "hello there" });
            config.WorkingDir = "/home";
            config.Mounts.Add(new Mount { ContainerPath = "/mnt", HostPath = volume });
            config.Mounts.Add(new Mount { ContainerPath = "/tmp", HostPath = volume, Readonly = true });
            config.Devices.Add(new Device { ContainerPath = "/dev/mine", HostPath = "/dev/zero", Permissions = "rwm" });
            LinuxContainerSecurityContext security = config.Linux.SecurityContext;
            security.RunAsUser = new Int64Value { Value = 1000 };
            security.RunAsGroup = new Int64Value { Value = 1000 };
            security.SupplementalGroups.Add(50);
            security.NoNewPrivs = true;
            security.ReadonlyRootfs = true;
            security.Capabilities = new Capability { DropCapabilities = { "ALL" } };
            security.Seccomp = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault };
            security.MaskedPaths.Add("/proc/keys");
            security.ReadonlyPaths.Add("/proc/sys");
        });

        Assert.Equal("hello there", await pod.ShellAsync(id, "echo $GREETING"));
        Assert.Equal("/home", await pod.ShellAsync(id, "pwd"));
        Assert.Equal("of the host", await pod.ShellAsync(id, "cat /mnt/file"));
        Assert.Equal("read-only", await pod.ShellAsync(id, "touch /tmp/no 2> /dev/null || echo read-only"));
        Assert.Equal("read-only", await pod.ShellAsync(id, "touch /root/no 2> /dev/null || touch /home/no 2> /dev/null || echo read-only"));
        Assert.Equal("1000 1000 50 1000", await pod.ShellAsync(id, "echo $(id -u; id -g; id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' ')"));
        Assert.Equal("1", await StatusAsync("NoNewPrivs"));
        Assert.Equal("2", await StatusAsync("Seccomp"));
        Assert.Equal("0000000000000000", await StatusAsync("CapBnd"));
        Assert.Equal("0", await pod.ShellAsync(id, "wc -c < /proc/keys"));
        Assert.Equal("1,5", await pod.ShellAsync(id, "stat -c %t,%T /dev/mine"));
        await pod.EndAsync();

        async Task<string> StatusAsync(string field) => (await pod.ShellAsync(id, $"grep '^{field}:' /proc/self/status")).Split('\t')[1];
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Stop_WithGrace_SignalsThenKills(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string polite = await pod.RunContainerAsync("polite", ["sh", "-c", "trap 'echo bye; exit 9' TERM; while :; do sleep 0.1; done"]);
        string deaf = await pod.RunContainerAsync("deaf", ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]);
        await pod.ShellAsync(polite, "true"); // the shell has had the time to set its trap

        await pod.StopContainerAsync(polite, 30);
        Assert.Equal(9, (await pod.StatusAsync(polite)).ExitCode);
        await pod.LogBecomesAsync("polite", "bye\n");
        await pod.StopContainerAsync(deaf, 1);
        Assert.Equal(137, (await pod.StatusAsync(deaf)).ExitCode);
        await pod.StopContainerAsync(deaf, 1); // again, which is no error
        await pod.EndAsync();
    }

    // Not with runc: its shim of containerd 1.6 at times loses the end of a long output when the process ends.
    [Fact]
    public async Task Log_OfALongOutput_IsCompleteAcrossRotation()
    {
        CriPod pod = await CriPod.RunAsync(_cri, CriFixture.Kata);
        string id = await pod.RunContainerAsync(
            "main", ["sh", "-c", "seq 1 20000; while [ ! -e /tmp/go ]; do sleep 0.1; done; seq 20001 40000"]);
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while (!(await pod.LogAsync("main")).EndsWith("\n20000\n", StringComparison.Ordinal))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }

        string log = pod.LogFile("main");
        File.Move(log, log + ".1");
        await _cri.Client.ReopenContainerLogAsync(new ReopenContainerLogRequest { ContainerId = id }, cancellationToken: limit.Token);
        await pod.ShellAsync(id, "touch /tmp/go");
        Assert.Equal(0, (await pod.EndedAsync(id)).ExitCode);

        await pod.LogBecomesAsync("main", string.Concat(Enumerable.Range(20001, 20000).Select(static number => $"{number}\n")));
        Assert.Equal(20000, (await File.ReadAllLinesAsync(log + ".1", limit.Token)).Length);
        await pod.EndAsync();
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Remove_BundleIsGone_LeavesNothing(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string id = await pod.RunContainerAsync("main", ["sleep", "100000"]);
        foreach (string bundle in new[] { _cri.Bundle(id), _cri.Bundle(pod.Id) })
        {
            if (handler == CriFixture.Kata)
            {
                Directory.Move(bundle, Path.Combine(_cri.DirectoryPath, "gone-" + Path.GetFileName(bundle)));
            }
            else
            {
                File.Delete(Path.Combine(bundle, "config.json")); // its root file system is mounted below
            }
        }

        Assert.Equal("alive", (await pod.ExecAsync(id, "echo", "alive")).Output);
        await pod.StopContainerAsync(id, 0);
        Assert.Equal(137, (await pod.StatusAsync(id)).ExitCode);
        await pod.EndAsync();
    }

    [Theory]
    [InlineData(CriFixture.Kata)]
    [InlineData(CriFixture.Runc)]
    public async Task Create_UnknownProgram_IsRefusedAndThePodLives(string handler)
    {
        CriPod pod = await CriPod.RunAsync(_cri, handler);
        string id = await pod.CreateAsync("bad", ["no-such-program"]);
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => pod.StartAsync(id));
        Assert.Contains("no-such-program", error.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(0, (await pod.RunToEndAsync("good", ["true"])).ExitCode);
        await pod.EndAsync();
    }
}
