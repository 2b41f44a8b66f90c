using System.Text.Json.Nodes;
using Kata.Linux;

namespace Kata.Integration.Tests.Faults;

/// <summary>A component dies or hangs: containers end with 255, the reason names it, nobody waits for ever, delete works.</summary>
[Collection(FaultsCollection.Name)]
public sealed class ComponentDeathTests : FaultTests
{
    [Theory]
    [InlineData("qemu-system-x86", "QEMU was killed by signal 9. Last console lines: ")]
    [InlineData("virtiofsd", "virtiofsd ")]
    [InlineData("service", "the pod's service has ended unexpectedly")]
    public async Task Run_ComponentKilled_EndsWith255AndNamesIt(string component, string reason)
    {
        FaultCommand run = Host.Start("run", "-b", Host.Bundle(), "c1");
        await UntilRunningAsync("c1");
        Kill(component);

        Outcome outcome = await run.FinishAsync();
        Assert.True(outcome.Code == 255, outcome.ToString());
        Assert.Contains("kata-runtime: the container ended with status 255: " + reason, outcome.Error);
        await Host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("qemu-system-x86", "QEMU was killed by signal 9. Last console lines: ")]
    [InlineData("virtiofsd", "virtiofsd ")]
    [InlineData("service", "the pod's service has ended unexpectedly")]
    public async Task Detached_ComponentKilled_IsStoppedWithReasonAndDeletable(string component, string reason)
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        int standIn = StandIn("c1");
        Kill(component);

        JsonNode state = await UntilStoppedAsync("c1");
        Assert.Contains(reason, state["reason"]!.GetValue<string>());
        Assert.Contains("stopped", (await Host.SucceedAsync("list")).Output);
        await FaultHarness.UntilAsync(() => !Directory.Exists($"/proc/{standIn}"), "the stand-in ends");
        Outcome kill = await Host.RunAsync("kill", "c1", "KILL");
        Assert.Equal(1, kill.Code);
        Assert.Matches("is stopped|container not running", kill.Error);
        await Host.SucceedAsync("delete", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_StandInKilled_ContainerEnds()
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        FaultHarness.Kill(StandIn("c1"));

        await UntilStoppedAsync("c1");
        await Host.SucceedAsync("delete", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ServiceKilledAndStandInStopped_ForcedDeleteLeavesNothing()
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        FaultHarness.Signal(StandIn("c1"), Signals.SIGSTOP);
        FaultHarness.Kill(Host.ServicePid("c1"));

        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ServiceStopped_ForcedDeleteLeavesNothing()
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        FaultHarness.Signal(Host.ServicePid("c1"), Signals.SIGSTOP);

        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ServiceStopped_CommandsSaySoWithinTheLimit()
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        int service = Host.ServicePid("c1");
        FaultHarness.Signal(service, Signals.SIGSTOP);

        long start = TimeProvider.System.GetTimestamp();
        (FaultCommand Command, string Action)[] commands =
        [
            (Host.Start("kill", "c1", "KILL"), "signal"), (Host.Start("start", "c1"), "start"),
            (Host.Start("exec", "c1", "true"), "execute in"), (Host.Start("delete", "c1"), "delete"),
        ];
        foreach ((FaultCommand command, string action) in commands)
        {
            (await command.FinishAsync()).AssertRefused(
                $"Cannot {action} the container 'c1': the pod's service (pid {service}) does not answer. "
                + "If it does not recover, remove the pod with 'kata-runtime delete --force c1'",
                action == "execute in" ? 255 : 1);
        }

        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 9, 20);
        Assert.Contains("running", (await Host.SucceedAsync("state", "c1")).Output); // what it wrote last
        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ManyExecs_LeaveNoRecord()
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        string journal = Path.Combine(Host.Root, "c1", "journal");
        int before = Held();
        for (int i = 0; i < 3; i++)
        {
            await Host.SucceedAsync("exec", "-d", "c1", "true");
        }

        await FaultHarness.UntilAsync(() => Held() == before, "the records of the execs are taken back");
        Assert.Equal(before + 6, File.ReadLines(journal).Count()); // they were there
        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();

        int Held() => File.ReadLines(journal).Sum(static line => line.Contains("\"released\":true", StringComparison.Ordinal) ? -1 : 1);
    }

    [Fact]
    public async Task Detached_QemuStopped_CommandsEndWithinTheLimit()
    {
        Host.Configure(kata: "request_timeout = 2");
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        FaultHarness.Signal(Assert.Single(Host.PodProcesses("qemu-system-x86")), Signals.SIGSTOP);

        long start = TimeProvider.System.GetTimestamp();
        const string Cause =
            "the guest's agent did not answer in time. See the pod's console.log; a slow host may need a longer request_timeout";
        (await Host.RunAsync("kill", "c1", "TERM")).AssertRefused($"Cannot send signal 15 to 'c1': {Cause}");
        (await Host.RunAsync("exec", "c1", "true")).AssertRefused($"Cannot execute in the container 'c1': {Cause}", 255);
        await Host.SucceedAsync("delete", "--force", "c1");

        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 40);
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_KernelPanicsAtBoot_SaysSoWithTheConsole()
    {
        Host.Configure(hypervisor: "kernel_params = \"rdinit=/nonexistent init=/nonexistent\"");
        Outcome outcome = await Host.RunAsync("create", "-b", Host.Bundle(), "c1");
        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Contains("the guest kernel panicked", outcome.Error);
        Assert.Contains("Kernel panic - not syncing", outcome.Error);
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Run_KernelPanicsWhileRunning_EndsWith255()
    {
        string bundle = Host.Bundle(
            edit: static config => config["process"]!["args"] = new JsonArray("sh", "-c", "echo c > /proc/sysrq-trigger; sleep 100"));
        Outcome outcome = await Host.RunAsync("run", "-b", bundle, "c1");
        Assert.True(outcome.Code == 255, outcome.ToString());
        Assert.Contains("the container ended with status 255: the guest kernel panicked", outcome.Error);
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_KernelIsGarbage_SaysSo()
    {
        string kernel = Path.Combine(Host.Directory, "zeros");
        await File.WriteAllBytesAsync(kernel, new byte[1 << 20], TestContext.Current.CancellationToken);
        Host.Configure(kata: "boot_timeout = 5", hypervisor: $"kernel = \"{kernel}\"");
        Outcome outcome = await Host.RunAsync("create", "-b", Host.Bundle(), "c1");
        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Matches("kata-runtime: Cannot (boot|start|reach) .*", outcome.Error);
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_GuestHasNoAgent_EndsAtTheBootLimit()
    {
        // PID 1 is busybox, asleep.
        Host.Configure(kata: "boot_timeout = 8", hypervisor: $"initrd = \"{await SleepingImageAsync()}\"");
        Outcome outcome = await Host.RunAsync("create", "-b", Host.Bundle(), "c1");
        Assert.True(outcome.Code == 1, outcome.ToString());
        // Its kernel is quiet and its PID 1 writes nothing.
        Assert.Contains(
            "Cannot boot the guest of 'c1': its agent did not answer within 8 s, and the guest wrote nothing on its console. "
            + "Check the kernel",
            outcome.Error);
        Assert.Contains(". A slow host needs a longer boot_timeout", outcome.Error);
        await Host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("qemu-system-x86", "QEMU was killed by signal 9")]
    [InlineData("virtiofsd", "virtiofsd ")]
    [InlineData(
        "service",
        "Cannot create the container 'c1': the pod's service has ended unexpectedly. "
        + "Remove what is left with 'kata-runtime delete --force c1'")]
    public async Task Create_ComponentKilledDuringBoot_NamesIt(string component, string reason)
    {
        Host.Configure(hypervisor: "enable_debug = true"); // else the first words may be the agent's, that it is ready
        FaultCommand create = Host.Start("create", "-b", Host.Bundle(), "c1");
        await FaultHarness.UntilAsync(
            () => Host.PodProcesses("qemu-system-x86").Count > 0 && ConsoleHasText("c1"), "the guest's kernel speaks");
        Kill(component);

        Outcome outcome = await create.FinishAsync();
        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Contains(reason, outcome.Error);
        await Host.AssertNothingLeftAsync();
    }

    private void Kill(string component)
    {
        IReadOnlyList<int> victims = component == "service" ? [Host.ServicePid("c1")] : Host.PodProcesses(component);
        Assert.NotEmpty(victims);
        foreach (int victim in victims)
        {
            FaultHarness.Kill(victim);
        }
    }

    private bool ConsoleHasText(string id) => new FileInfo(Path.Combine(Host.Root, id, "console.log")) is { Exists: true, Length: > 0 };

    private JsonNode? State(string id)
    {
        string path = Path.Combine(Host.Root, id, "state.json");
        return File.Exists(path)
            ? JsonNode.Parse(File.ReadAllText(path))!["containers"]!.AsArray().FirstOrDefault(item => item!["id"]!.GetValue<string>() == id)
            : null;
    }

    private int StandIn(string id) => State(id)!["pid"]!.GetValue<int>();

    private Task UntilRunningAsync(string id) =>
        FaultHarness.UntilAsync(() => State(id)?["status"]!.GetValue<string>() == "running", $"'{id}' runs");

    private async Task<JsonNode> UntilStoppedAsync(string id)
    {
        while (true)
        {
            JsonNode state = JsonNode.Parse((await Host.SucceedAsync("state", id)).Output)!;
            if (state["status"]!.GetValue<string>() == "stopped")
            {
                return state;
            }
        }
    }

    private async Task<string> SleepingImageAsync()
    {
        string image = Path.Combine(Host.Directory, "sleep.cpio");
        string tree = Path.Combine(Host.Directory, "image");
        Directory.CreateDirectory(tree);
        File.Copy("/usr/bin/busybox", Path.Combine(tree, "busybox"));
        await File.WriteAllTextAsync(
            Path.Combine(tree, "init"), "#!/busybox sh\n/busybox sleep 1000\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(tree, "init"), (UnixFileMode)0x1ed);
        FaultCommand pack = Host.StartRaw("/bin/sh", "-c", $"cd {tree} && find . | busybox cpio -o -H newc > {image} 2>/dev/null");
        Assert.Equal(0, (await pack.FinishAsync()).Code);
        return image;
    }
}
