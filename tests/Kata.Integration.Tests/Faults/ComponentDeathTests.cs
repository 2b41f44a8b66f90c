using System.Text.Json.Nodes;
using Kata.Integration.Tests.Hypervisor;
using Kata.Linux;

namespace Kata.Integration.Tests.Faults;

/// <summary>A component dies or hangs: containers end with 255, the reason names it, nobody waits for ever, delete works.</summary>
[Collection(FaultsCollection.Name)]
public sealed class ComponentDeathTests : IAsyncLifetime
{
    private FaultHarness _host = null!;

    public ValueTask InitializeAsync()
    {
        GuestFiles.RequireRoot();
        Assert.SkipUnless(File.Exists(FaultHarness.Runtime), "needs artifacts/bin/kata-runtime ('make'), or KATA_TEST_RUNTIME");
        _host = new FaultHarness();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("qemu-system-x86", "QEMU was killed by signal 9. Last console lines: ")]
    [InlineData("virtiofsd", "virtiofsd ")]
    [InlineData("service", "the pod's service has ended unexpectedly")]
    public async Task Run_ComponentKilled_EndsWith255AndNamesIt(string component, string reason)
    {
        FaultCommand run = _host.Start("run", "-b", _host.Bundle(), "c1");
        await UntilRunningAsync("c1");
        Kill(component);

        Outcome outcome = await run.FinishAsync();
        Assert.True(outcome.Code == 255, outcome.ToString());
        Assert.Contains("kata-runtime: the container ended with status 255: " + reason, outcome.Error);
        await _host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("qemu-system-x86", "QEMU was killed by signal 9. Last console lines: ")]
    [InlineData("virtiofsd", "virtiofsd ")]
    [InlineData("service", "the pod's service has ended unexpectedly")]
    public async Task Detached_ComponentKilled_IsStoppedWithReasonAndDeletable(string component, string reason)
    {
        await _host.SucceedAsync("run", "-d", "-b", _host.Bundle(), "c1");
        int standIn = StandIn("c1");
        Kill(component);

        JsonNode state = await UntilStoppedAsync("c1");
        Assert.Contains(reason, state["reason"]!.GetValue<string>());
        Assert.Contains("stopped", (await _host.SucceedAsync("list")).Output);
        await FaultHarness.UntilAsync(() => !Directory.Exists($"/proc/{standIn}"), "the stand-in ends");
        Outcome kill = await _host.RunAsync("kill", "c1", "KILL");
        Assert.Equal(1, kill.Code);
        Assert.Matches("is stopped|container not running", kill.Error);
        await _host.SucceedAsync("delete", "c1");
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_StandInKilled_ContainerEnds()
    {
        await _host.SucceedAsync("run", "-d", "-b", _host.Bundle(), "c1");
        FaultHarness.Kill(StandIn("c1"));

        await UntilStoppedAsync("c1");
        await _host.SucceedAsync("delete", "c1");
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ServiceKilledAndStandInStopped_ForcedDeleteLeavesNothing()
    {
        await _host.SucceedAsync("run", "-d", "-b", _host.Bundle(), "c1");
        FaultHarness.Signal(StandIn("c1"), Signals.SIGSTOP);
        FaultHarness.Kill(_host.ServicePid("c1"));

        await _host.SucceedAsync("delete", "--force", "c1");
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ServiceStopped_ForcedDeleteLeavesNothing()
    {
        await _host.SucceedAsync("run", "-d", "-b", _host.Bundle(), "c1");
        FaultHarness.Signal(_host.ServicePid("c1"), Signals.SIGSTOP);

        await _host.SucceedAsync("delete", "--force", "c1");
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ServiceStopped_CommandsSaySoWithinTheLimit()
    {
        await _host.SucceedAsync("run", "-d", "-b", _host.Bundle(), "c1");
        int service = _host.ServicePid("c1");
        FaultHarness.Signal(service, Signals.SIGSTOP);

        long start = TimeProvider.System.GetTimestamp();
        (FaultCommand Command, string Action)[] commands =
        [
            (_host.Start("kill", "c1", "KILL"), "signal"), (_host.Start("start", "c1"), "start"), (_host.Start("exec", "c1", "true"), "execute in"),
            (_host.Start("delete", "c1"), "delete"),
        ];
        foreach ((FaultCommand command, string action) in commands)
        {
            (await command.FinishAsync()).AssertRefused(
                $"Cannot {action} the container 'c1': the pod's service (pid {service}) does not answer. If it does not recover, remove the pod with 'kata-runtime delete --force c1'",
                action == "execute in" ? 255 : 1);
        }

        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 9, 20);
        Assert.Contains("running", (await _host.SucceedAsync("state", "c1")).Output); // what it wrote last
        await _host.SucceedAsync("delete", "--force", "c1");
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ManyExecs_LeaveNoRecord()
    {
        await _host.SucceedAsync("run", "-d", "-b", _host.Bundle(), "c1");
        string journal = Path.Combine(_host.Root, "c1", "journal");
        int before = Held();
        for (int i = 0; i < 3; i++)
        {
            await _host.SucceedAsync("exec", "-d", "c1", "true");
        }

        await FaultHarness.UntilAsync(() => Held() == before, "the records of the execs are taken back");
        Assert.Equal(before + 6, File.ReadLines(journal).Count()); // they were there
        await _host.SucceedAsync("delete", "--force", "c1");
        await _host.AssertNothingLeftAsync();

        int Held() => File.ReadLines(journal).Sum(static line => line.Contains("\"released\":true", StringComparison.Ordinal) ? -1 : 1);
    }

    [Fact]
    public async Task Detached_QemuStopped_CommandsEndWithinTheLimit()
    {
        _host.Configure(kata: "request_timeout = 2");
        await _host.SucceedAsync("run", "-d", "-b", _host.Bundle(), "c1");
        FaultHarness.Signal(Assert.Single(_host.PodProcesses("qemu-system-x86")), Signals.SIGSTOP);

        long start = TimeProvider.System.GetTimestamp();
        const string Cause = "the guest's agent did not answer in time. See the pod's console.log; a slow host may need a longer request_timeout";
        (await _host.RunAsync("kill", "c1", "TERM")).AssertRefused($"Cannot send signal 15 to 'c1': {Cause}");
        (await _host.RunAsync("exec", "c1", "true")).AssertRefused($"Cannot execute in the container 'c1': {Cause}", 255);
        await _host.SucceedAsync("delete", "--force", "c1");

        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 40);
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_KernelPanicsAtBoot_SaysSoWithTheConsole()
    {
        _host.Configure(hypervisor: "kernel_params = \"rdinit=/nonexistent init=/nonexistent\"");
        Outcome outcome = await _host.RunAsync("create", "-b", _host.Bundle(), "c1");
        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Contains("the guest kernel panicked", outcome.Error);
        Assert.Contains("Kernel panic - not syncing", outcome.Error);
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Run_KernelPanicsWhileRunning_EndsWith255()
    {
        string bundle = _host.Bundle(edit: static config => config["process"]!["args"] = new JsonArray("sh", "-c", "echo c > /proc/sysrq-trigger; sleep 100"));
        Outcome outcome = await _host.RunAsync("run", "-b", bundle, "c1");
        Assert.True(outcome.Code == 255, outcome.ToString());
        Assert.Contains("the container ended with status 255: the guest kernel panicked", outcome.Error);
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_KernelIsGarbage_SaysSo()
    {
        string kernel = Path.Combine(_host.Directory, "zeros");
        await File.WriteAllBytesAsync(kernel, new byte[1 << 20], TestContext.Current.CancellationToken);
        _host.Configure(kata: "boot_timeout = 5", hypervisor: $"kernel = \"{kernel}\"");
        Outcome outcome = await _host.RunAsync("create", "-b", _host.Bundle(), "c1");
        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Matches("kata-runtime: Cannot (boot|start|reach) .*", outcome.Error);
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_GuestHasNoAgent_EndsAtTheBootLimit()
    {
        // PID 1 is busybox, asleep.
        _host.Configure(kata: "boot_timeout = 8", hypervisor: $"initrd = \"{await SleepingImageAsync()}\"");
        Outcome outcome = await _host.RunAsync("create", "-b", _host.Bundle(), "c1");
        Assert.True(outcome.Code == 1, outcome.ToString());
        // Its kernel is quiet and its PID 1 writes nothing.
        Assert.Contains("Cannot boot the guest of 'c1': its agent did not answer within 8 s, and the guest wrote nothing on its console. Check the kernel", outcome.Error);
        Assert.Contains(". A slow host needs a longer boot_timeout", outcome.Error);
        await _host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("qemu-system-x86", "QEMU was killed by signal 9")]
    [InlineData("virtiofsd", "virtiofsd ")]
    [InlineData("service", "Cannot create the container 'c1': the pod's service has ended unexpectedly. Remove what is left with 'kata-runtime delete --force c1'")]
    public async Task Create_ComponentKilledDuringBoot_NamesIt(string component, string reason)
    {
        FaultCommand create = _host.Start("create", "-b", _host.Bundle(), "c1");
        await FaultHarness.UntilAsync(() => _host.PodProcesses("qemu-system-x86").Count > 0 && ConsoleHasText("c1"), "the guest's kernel speaks");
        Kill(component);

        Outcome outcome = await create.FinishAsync();
        Assert.True(outcome.Code == 1, outcome.ToString());
        Assert.Contains(reason, outcome.Error);
        await _host.AssertNothingLeftAsync();
    }

    private void Kill(string component)
    {
        IReadOnlyList<int> victims = component == "service" ? [_host.ServicePid("c1")] : _host.PodProcesses(component);
        Assert.NotEmpty(victims);
        foreach (int victim in victims)
        {
            FaultHarness.Kill(victim);
        }
    }

    private bool ConsoleHasText(string id) => new FileInfo(Path.Combine(_host.Root, id, "console.log")) is { Exists: true, Length: > 0 };

    private JsonNode? State(string id)
    {
        string path = Path.Combine(_host.Root, id, "state.json");
        return File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path))!["containers"]!.AsArray().FirstOrDefault(item => item!["id"]!.GetValue<string>() == id) : null;
    }

    private int StandIn(string id) => State(id)!["pid"]!.GetValue<int>();

    private Task UntilRunningAsync(string id) =>
        FaultHarness.UntilAsync(() => State(id)?["status"]!.GetValue<string>() == "running", $"'{id}' runs");

    private async Task<JsonNode> UntilStoppedAsync(string id)
    {
        while (true)
        {
            JsonNode state = JsonNode.Parse((await _host.SucceedAsync("state", id)).Output)!;
            if (state["status"]!.GetValue<string>() == "stopped")
            {
                return state;
            }
        }
    }

    private async Task<string> SleepingImageAsync()
    {
        string image = Path.Combine(_host.Directory, "sleep.cpio");
        string tree = Path.Combine(_host.Directory, "image");
        Directory.CreateDirectory(tree);
        File.Copy("/usr/bin/busybox", Path.Combine(tree, "busybox"));
        await File.WriteAllTextAsync(Path.Combine(tree, "init"), "#!/busybox sh\n/busybox sleep 1000\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(tree, "init"), (UnixFileMode)0x1ed);
        FaultCommand pack = _host.StartRaw("/bin/sh", "-c", $"cd {tree} && find . | busybox cpio -o -H newc > {image} 2>/dev/null");
        Assert.Equal(0, (await pack.FinishAsync()).Code);
        return image;
    }
}
