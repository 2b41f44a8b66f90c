using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;
using Kata.Integration.Tests.Hypervisor;
using Kata.Linux;

namespace Kata.Integration.Tests.Faults;

/// <summary>Something hangs, is missing or runs out while a container runs: nobody waits for ever, others go on, delete works.</summary>
[Collection(FaultsCollection.Name)]
public sealed class ShortageTests : IAsyncLifetime
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

    [Fact]
    public async Task Run_GuestAnswersNoMore_EndsWith255AndSaysSo()
    {
        _host.Configure(kata: "request_timeout = 3\nagent_check_interval = 1");
        FaultCommand run = _host.Start("run", "-b", _host.Bundle(), "c1");
        string state = Path.Combine(_host.Root, "c1", "state.json");
        await FaultHarness.UntilAsync(() => File.Exists(state) && File.ReadAllText(state).Contains("\"running\"", StringComparison.Ordinal), "'c1' runs");

        FaultHarness.Signal(Assert.Single(_host.PodProcesses("qemu-system-x86")), Signals.SIGSTOP);
        Outcome outcome = await run.FinishAsync();

        Assert.True(outcome.Code == 255, outcome.ToString());
        Assert.Contains("kata-runtime: the container ended with status 255: the guest's agent did not answer for 6 s: the guest hangs, or its virtual machine was stopped", outcome.Error);
        await _host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("state c1 2> /dev/full", "")]
    [InlineData("state c1 2>&-", "")]
    [InlineData("--version > /dev/full", "kata-runtime: Cannot write to standard output: write: No space left on device (ENOSPC)")]
    public async Task Command_WhoseOutputCannotBeWritten_FailsAsAnyOther(string command, string error)
    {
        using var shell = RunningCommand.Start("/bin/sh", ["-c", $"exec \"$0\" --root {_host.Root} {command}", FaultHarness.Runtime]);
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
        string bundle = _host.Bundle(edit: static config =>
        {
            config["process"]!["args"] = new JsonArray("sh", "-c", "while :; do busybox dd if=/dev/zero bs=1M >> /tmp/x; done");
            config["mounts"]!.AsArray().Add(new JsonObject { ["destination"] = "/tmp", ["type"] = "tmpfs", ["source"] = "tmpfs", ["options"] = new JsonArray("size=1g") });
        });
        Outcome outcome = await _host.RunAsync("run", "-b", bundle, "c1");
        Assert.True(outcome.Code == 137, outcome.ToString());
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_StateRootFills_CommandsGoOnAndDeleteLeavesNothing()
    {
        Directory.CreateDirectory(_host.Root);
        await ShellAsync($"mount -t tmpfs -o size=128k tmpfs {_host.Root}");
        try
        {
            await _host.SucceedAsync("run", "-d", "-b", _host.Bundle(), "c1");
            await ShellAsync($"dd if=/dev/zero of={_host.Root}/fill bs=4k 2>/dev/null; true");

            Assert.Equal("alive\n", (await _host.SucceedAsync("exec", "c1", "echo", "alive")).Output);
            Outcome second = await _host.RunAsync("run", "-d", "-b", _host.Bundle("second"), "c2");
            Assert.Equal(1, second.Code);
            Assert.Contains("No space left on device", second.Error);
            await _host.SucceedAsync("kill", "c1", "KILL");
            while (!(await _host.SucceedAsync("state", "c1")).Output.Contains("stopped", StringComparison.Ordinal))
            {
            }

            await _host.SucceedAsync("delete", "c1");
            await ShellAsync($"rm {_host.Root}/fill");
            Assert.All(_host.Leftovers(), static item => Assert.StartsWith("mount ", item));
        }
        finally
        {
            await ShellAsync($"umount --lazy {_host.Root}");
        }

        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_ServiceHasNoDescriptorLeft_ExecSaysSoAndTheNextOneWorks()
    {
        string log = Path.Combine(_host.Directory, "log");
        await _host.SucceedAsync("--log", log, "run", "-d", "-b", _host.Bundle(), "c1");
        int service = _host.ServicePid("c1");

        // Room for two connections, and not for the streams that come through one.
        await ShellAsync(string.Create(CultureInfo.InvariantCulture, $"prlimit --pid {service} --nofile={HostProcess.DescriptorLimitFor(service, more: 2)}:"));
        Outcome refused = await _host.RunAsync("exec", "c1", "echo", "alive");
        // No room at all: the command waits until there is.
        await ShellAsync(string.Create(CultureInfo.InvariantCulture, $"prlimit --pid {service} --nofile={HostProcess.DescriptorLimitFor(service, more: 0)}:"));
        FaultCommand waiting = _host.Start("exec", "c1", "echo", "alive");
        await FaultHarness.UntilAsync(() => File.ReadAllText(log).Contains("Commands have to wait: ", StringComparison.Ordinal), "the service says that it has no descriptor");
        await ShellAsync($"prlimit --pid {service} --nofile=1024:");
        Outcome waited = await waiting.FinishAsync();

        Assert.Equal(255, refused.Code);
        Assert.Contains("raise its limit ('ulimit -n'", refused.Error);
        Assert.Equal(new Outcome(0, "alive\n", ""), waited);
        await _host.SucceedAsync("delete", "--force", "c1");
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Detached_BundleIsRemoved_TheContainerGoesOnAndIsDeletedOnceItHasEnded()
    {
        string bundle = _host.Bundle();
        await _host.SucceedAsync("run", "-d", "-b", bundle, "c1");
        int service = _host.ServicePid("c1");
        Directory.Move(bundle, $"{bundle}-gone");
        Assert.Contains("running", (await _host.SucceedAsync("state", "c1")).Output);

        await _host.SucceedAsync("kill", "c1", "KILL");

        await FaultHarness.UntilAsync(() => !Directory.Exists($"/proc/{service}"), "the pod is gone");
        await _host.AssertNothingLeftAsync();
    }

    private async Task ShellAsync(string script)
    {
        Outcome outcome = await _host.StartRaw("/bin/sh", "-c", script).FinishAsync();
        Assert.True(outcome.Code == 0, $"{script}: {outcome}");
    }
}
