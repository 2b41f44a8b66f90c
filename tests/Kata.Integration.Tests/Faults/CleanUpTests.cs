using Kata.Linux;

namespace Kata.Integration.Tests.Faults;

/// <summary>What a pod stood on is taken away below it: it ends all the same, and leaves nothing.</summary>
[Collection(FaultsCollection.Name)]
public sealed class CleanUpTests : FaultTests
{
    /// <summary>
    /// A session that was closed since, as a login's or that of 'systemd-run --scope': its group is gone, and so may be those above it.
    /// </summary>
    [Fact]
    public async Task Delete_GroupOfTheCallerIsGone_EndsTheService()
    {
        CgroupHierarchy[] hierarchies =
            [.. CgroupLayout.Read().Hierarchies.DistinctBy(static item => item.MountPoint)
                .Where(static item => !item.Controllers.Contains("cpuset"))];
        Assert.SkipWhen(hierarchies.Length == 0, "needs a control group hierarchy");
        string[] above = [.. hierarchies.Select(static item => $"{item.MountPoint}/kata-test-{Environment.ProcessId}")];
        string[] groups = [.. above.Select(static group => $"{group}/session")];
        try
        {
            foreach (string group in groups)
            {
                Directory.CreateDirectory(group);
            }

            string enter = string.Concat(groups.Select(static group => $"echo $$ > '{group}/cgroup.procs' || exit 1; "));
            FaultCommand run = Host.StartRaw(
                "/bin/sh", "-c", enter + "exec \"$@\"", "sh", FaultHarness.Runtime, "--root", Host.Root,
                "--kata-config", Host.Configuration, "run", "-d", "-b", Host.Bundle(), "c1");
            Outcome started = await run.FinishAsync();
            Assert.True(started.Code == 0, started.ToString());
            await Host.SucceedAsync("kill", "c1", "KILL");
            string state = Path.Combine(Host.Root, "c1/state.json");
            await FaultHarness.UntilAsync(
                () => File.ReadAllText(state).Contains("\"stopped\"", StringComparison.OrdinalIgnoreCase), "'c1' has ended");
            await FaultHarness.UntilAsync(() => TryRemove(groups) && TryRemove(above), "the session's groups are empty");

            await Host.SucceedAsync("delete", "c1");
            await Host.AssertNothingLeftAsync();
        }
        finally
        {
            TryRemove(groups);
            TryRemove(above);
        }
    }

    [Fact]
    public async Task Directory_RemovedByHand_ServiceEndsAndTheIdIsFree()
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        int service = Host.ServicePid("c1");

        Directory.Delete(Path.Combine(Host.Root, "c1"), recursive: true);

        await FaultHarness.UntilAsync(() => !Directory.Exists($"/proc/{service}"), "the service ends");
        await Host.AssertNothingLeftAsync();
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Delete_SomethingCannotBeRemoved_SaysSoAndTheServiceEnds()
    {
        await Host.SucceedAsync("run", "-d", "-b", Host.Bundle(), "c1");
        int service = Host.ServicePid("c1");
        await Host.SucceedAsync("kill", "c1", "KILL");
        await FaultHarness.UntilAsync(
            () => File.ReadAllText(Path.Combine(Host.Root, "c1/state.json")).Contains("\"stopped\"", StringComparison.OrdinalIgnoreCase),
            "'c1' has ended");
        string stuck = Path.Combine(Host.Root, "c1/stuck");
        await File.WriteAllTextAsync(stuck, "", TestContext.Current.CancellationToken);
        Outcome immutable = await Host.StartRaw("/usr/bin/chattr", "+i", stuck).FinishAsync();
        Assert.SkipUnless(immutable.Code == 0, "needs a file system with immutable files below the temporary directory");
        try
        {
            (await Host.RunAsync("delete", "c1")).AssertRefused(
                $"Cannot remove 'stuck' of '{Path.Combine(Host.Root, "c1")}': unlinkat: Operation not permitted (EPERM)");
            await FaultHarness.UntilAsync(() => !Directory.Exists($"/proc/{service}"), "the service ends");
            Assert.Equal([stuck], Directory.EnumerateFileSystemEntries(Path.Combine(Host.Root, "c1")));
        }
        finally
        {
            await Host.StartRaw("/usr/bin/chattr", "-i", stuck).FinishAsync();
        }

        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    private static bool TryRemove(IEnumerable<string> groups)
    {
        foreach (string group in groups)
        {
            _ = Kata.Linux.Interop.LibC.rmdir(group);
        }

        return !groups.Any(Directory.Exists);
    }
}
