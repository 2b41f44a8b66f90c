using Kata.Integration.Tests.Hypervisor;

namespace Kata.Integration.Tests.Faults;

/// <summary>The jails as the real command makes them, even when its caller left descriptors open.</summary>
[Collection(FaultsCollection.Name)]
public sealed class RuntimeJailTests
{
    [Fact]
    public async Task Run_CallerLeftDescriptorsOpen_NobodyBehindTheCommandHasThem()
    {
        GuestFiles.RequireRoot();
        Assert.SkipUnless(File.Exists(FaultHarness.Runtime), "needs artifacts/bin/kata-runtime ('make'), or KATA_TEST_RUNTIME");
        await using var host = new FaultHarness();
        string bundle = host.Bundle();
        string secret = Path.Combine(host.Directory, "secret");
        const string Script = "exec 5>\"$S\" 6>&5 7</etc/shadow 8>&5 9</etc; S=; exec \"$0\" \"$@\"";
        Outcome outcome = await host.StartRaw(
            "/usr/bin/env", $"S={secret}", "/bin/sh", "-c", Script, FaultHarness.Runtime,
            "--root", host.Root, "--kata-config", host.Configuration, "run", "-d", "-b", bundle, "c1").FinishAsync();
        Assert.True(outcome.Code == 0, outcome.ToString());

        ProcessStatus self = ProcessStatus.Read(Environment.ProcessId);
        int servicePid = host.ServicePid("c1");
        ProcessStatus service = ProcessStatus.Read(servicePid);
        ProcessStatus qemu = ProcessStatus.Read(Assert.Single(host.PodProcesses("qemu-system-x86")));
        IReadOnlyList<int> daemons = host.PodProcesses("virtiofsd");
        Assert.Equal(2, daemons.Count);

        Assert.All(qemu.Ids("Uid").Concat(qemu.Ids("Gid")), static id => Assert.Equal("65534", id));
        Assert.All(["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], set => Assert.Equal(0ul, qemu.Hex(set)));
        Assert.Equal(("1", "2"), (qemu["NoNewPrivs"], qemu["Seccomp"]));
        foreach (string kind in (string[])["mnt", "net", "pid", "ipc", "uts"])
        {
            Assert.NotEqual(self.Namespace(kind), qemu.Namespace(kind));
            Assert.NotEqual(service.Namespace(kind), qemu.Namespace(kind));
        }

        ProcessStatus serving = ProcessStatus.Read(daemons.Max());
        Assert.Equal(("1", "2"), (serving["NoNewPrivs"], serving["Seccomp"]));
        Assert.Equal(0x880000dbul, serving.Hex("CapEff"));
        foreach (string kind in (string[])["mnt", "net", "pid"])
        {
            Assert.NotEqual(service.Namespace(kind), serving.Namespace(kind));
            Assert.NotEqual(self.Namespace(kind), serving.Namespace(kind));
        }

        Assert.NotEqual(self.Namespace("mnt"), service.Namespace("mnt"));
        // The service itself and the stand-in live as long as the pod: neither may keep a caller's descriptor alive.
        int standIn = int.Parse(
            System.Text.Json.Nodes.JsonNode.Parse((await host.SucceedAsync("state", "c1")).Output)!["pid"]!.ToString(),
            System.Globalization.CultureInfo.InvariantCulture);
        foreach (int pid in (int[])[servicePid, standIn, host.PodProcesses("qemu-system-x86")[0], .. daemons])
        {
            Assert.All(ProcessStatus.Read(pid).OpenFiles(), file => Assert.False(
                file == secret || file == "/etc/shadow" || file == "/etc", $"process {pid} holds '{file}'"));
        }

        await host.SucceedAsync("delete", "--force", "c1");
        await host.AssertNothingLeftAsync();
    }
}
