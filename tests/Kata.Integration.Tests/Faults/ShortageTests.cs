using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Faults;

/// <summary>Something hangs, is missing or runs out while a container runs: nobody waits for ever, others go on, delete works.</summary>
[Collection(FaultsCollection.Name)]
public sealed class ShortageTests : FaultTests
{
    [Fact]
    public async Task Run_GuestAnswersNoMore_EndsWith255AndSaysSo()
    {
        Host.Configure(kata: "request_timeout = 3\nagent_check_interval = 1");
        FaultCommand run = Host.Start("run", "-b", Host.Bundle(), "c1");
        string state = Path.Combine(Host.Root, "c1", "state.json");
        await FaultHarness.UntilAsync(
            () => File.Exists(state) && File.ReadAllText(state).Contains("\"running\"", StringComparison.Ordinal), "'c1' runs");

        FaultHarness.Signal(Assert.Single(Host.PodProcesses("qemu-system-x86")), Signals.SIGSTOP);
        Outcome outcome = await run.FinishAsync();

        Assert.True(outcome.Code == 255, outcome.ToString());
        Assert.Contains(
            "kata-runtime: the container ended with status 255: the guest's agent did not answer for 6 s: "
            + "the guest hangs, or its virtual machine was stopped",
            outcome.Error);
        await Host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("state c1 2> /dev/full", "")]
    [InlineData("state c1 2>&-", "")]
    [InlineData("--version > /dev/full", "kata-runtime: Cannot write to standard output: write: No space left on device (ENOSPC)")]
    public async Task Command_WhoseOutputCannotBeWritten_FailsAsAnyOther(string command, string error)
    {
        using var shell = RunningCommand.Start("/bin/sh", ["-c", $"exec \"$0\" --root {Host.Root} {command}", FaultHarness.Runtime]);
        CommandResult result = await shell.FinishAsync(default, RuntimeFixture.Limit);

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(error, result.Error.TrimEnd());
    }

    [Fact]
    public async Task Command_WhoseOutputIsClosed_IsAsOneWhoseOutputNobodyWants()
    {
        using var shell = RunningCommand.Start("/bin/sh", ["-c", "exec \"$0\" --version >&-", FaultHarness.Runtime]);

        Assert.Equal("", (await shell.FinishAsync(default, RuntimeFixture.Limit)).Ok().Error);
    }

    [Fact]
    public async Task Run_GuestRunsOutOfMemory_EndsWith137()
    {
        string bundle = Host.Bundle(edit: static config =>
        {
            config["process"]!["args"] = new JsonArray("sh", "-c", "while :; do busybox dd if=/dev/zero bs=1M >> /tmp/x; done");
            config["mounts"]!.AsArray().Add(new JsonObject
            {
                ["destination"] = "/tmp",
                ["type"] = "tmpfs",
                ["source"] = "tmpfs",
                ["options"] = new JsonArray("size=1g"),
            });
        });
        Outcome outcome = await Host.RunAsync("run", "-b", bundle, "c1");
        Assert.True(outcome.Code == 137, outcome.ToString());
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_StateRootFills_CommandsGoOnAndDeleteLeavesNothing()
    {
        Directory.CreateDirectory(Host.Root);
        await ShellAsync($"mount -t tmpfs -o size=128k tmpfs {Host.Root}");
        try
        {
            await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
            await ShellAsync($"dd if=/dev/zero of={Host.Root}/fill bs=4k 2>/dev/null; true");

            Assert.Equal("alive\n", (await Host.SucceedAsync("exec", "c1", "echo", "alive")).Output);
            Outcome second = await Host.RunAsync("run", "-d", "-b", Host.Bundle("second"), "c2");
            Assert.Equal(1, second.Code);
            Assert.Contains("No space left on device", second.Error);
            await Host.SucceedAsync("kill", "c1", "KILL");
            while (!(await Host.SucceedAsync("state", "c1")).Output.Contains("stopped", StringComparison.Ordinal))
            {
            }

            await Host.SucceedAsync("delete", "c1");
            await ShellAsync($"rm {Host.Root}/fill");
            Assert.All(Host.Leftovers(), static item => Assert.StartsWith("mount ", item));
        }
        finally
        {
            await ShellAsync($"umount --lazy {Host.Root}");
        }

        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ServiceHasNoDescriptorLeft_ExecSaysSoAndTheNextOneWorks()
    {
        string log = Path.Combine(Host.Directory, "log");
        await Host.SucceedAsync("--log", log, "run", "-d", "-b", Host.Bundle(), "c1");
        int service = Host.ServicePid("c1");

        // Room for two connections, and not for the streams that come through one.
        await ShellAsync(string.Create(
            CultureInfo.InvariantCulture, $"prlimit --pid {service} --nofile={HostProcess.DescriptorLimitFor(service, more: 2)}:"));
        Outcome refused = await Host.RunAsync("exec", "c1", "echo", "alive");
        // No room at all: the command waits until there is.
        await ShellAsync(string.Create(
            CultureInfo.InvariantCulture, $"prlimit --pid {service} --nofile={HostProcess.DescriptorLimitFor(service, more: 0)}:"));
        FaultCommand waiting = Host.Start("exec", "c1", "echo", "alive");
        await FaultHarness.UntilAsync(
            () => File.ReadAllText(log).Contains("Commands have to wait: ", StringComparison.Ordinal),
            "the service says that it has no descriptor");
        await ShellAsync($"prlimit --pid {service} --nofile=1024:");
        Outcome waited = await waiting.FinishAsync();

        Assert.Equal(255, refused.Code);
        Assert.Contains("raise its limit ('ulimit -n'", refused.Error);
        Assert.Equal(new Outcome(0, "alive\n", ""), waited);
        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_BundleIsRemoved_TheContainerGoesOnAndIsDeletedOnceItHasEnded()
    {
        string bundle = Host.Bundle();
        await Host.SucceedAsync("run", "-d", "-b", bundle, "c1");
        int service = Host.ServicePid("c1");
        Directory.Move(bundle, $"{bundle}-gone");
        Assert.Contains("running", (await Host.SucceedAsync("state", "c1")).Output);

        await Host.SucceedAsync("kill", "c1", "KILL");

        await FaultHarness.UntilAsync(() => !Directory.Exists($"/proc/{service}"), "the pod is gone");
        await Host.AssertNothingLeftAsync();
    }

    private async Task ShellAsync(string script)
    {
        Outcome outcome = await Host.StartRaw("/bin/sh", "-c", script).FinishAsync();
        Assert.True(outcome.Code == 0, $"{script}: {outcome}");
    }
}
