using System.Diagnostics;
using System.Text.Json.Nodes;
using Kata.Linux;

namespace Kata.Integration.Tests.Faults;

/// <summary>
/// A hook that sleeps holds up its own container and nobody else of the pod; whoever deletes that container does not wait for it either.
/// </summary>
[Collection(FaultsCollection.Name)]
public sealed class SleepingHookTests : FaultTests
{
    private const string Deleted = "Cannot create the container 'c1': it was deleted in the meantime. See 'kata-runtime list'";

    /// <summary>What an emulated guest may take on a host that does other things too; the hook sleeps ten times as long.</summary>
    private static readonly TimeSpan s_seconds = TimeSpan.FromSeconds(12);

    [Theory]
    [InlineData("createRuntime")]
    [InlineData("poststop")]
    public async Task Hook_Sleeps_SiblingLivesAndGoes(string point)
    {
        await StartPodAsync();
        FaultCommand held = point == "poststop" ? await BeginDeleteAsync() : await BeginCreateAsync();

        await InTimeAsync("create", "-b", Member("c2"), "c2");
        await InTimeAsync("start", "c2");
        await InTimeAsync("exec", "c2", "true");
        await InTimeAsync("kill", "c2", "KILL");
        await InTimeAsync("delete", "--force", "c2"); // its exit may not be here yet

        Assert.False(held.HasExited);
        Assert.NotEmpty(SleepingHooks());
        await InTimeAsync("delete", "--force", "c1");
        await InTimeAsync("delete", "--force", "p1");
        await Host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Delete_ForcedWhileTheCreateHookSleeps_EndsTheCreateAlone(bool commandKilled)
    {
        await StartPodAsync();
        await Host.SucceedAsync("run", "-d", "-b", Member("c2"), "c2");
        FaultCommand create = await BeginCreateAsync();
        if (commandKilled)
        {
            FaultHarness.Kill(create.Pid);
            await create.FinishAsync();
        }

        await InTimeAsync("delete", "--force", "c1");
        if (!commandKilled)
        {
            (await create.FinishAsync()).AssertRefused(Deleted);
        }

        await AssertOnlySiblingsAsync("c2", "p1");
        await InTimeAsync("run", "-d", "-b", Member("c1"), "c1"); // the id is free
        await InTimeAsync("exec", "c1", "true");
        await EndAsync("c1", "c2", "p1");
    }

    // The first container made the pod, and another has come in.
    [Theory]
    [InlineData("sleep 120", Deleted)]
    [InlineData("exit 3", "Cannot run the createRuntime hook 0*")]
    public async Task Create_OfTheFirstContainerFails_LeavesThePodToTheOther(string hook, string error)
    {
        string first = Member(
            "c1", "createRuntime", $"{Begun("c1")} while ! test -e {Host.Directory}/go; do sleep 0.1; done; {hook}", pod: null);
        FaultCommand create = Host.Start("create", "-b", first, "c1");
        await FaultHarness.UntilAsync(() => HasBegun("c1"), "the hook runs");
        await InTimeAsync("run", "-d", "-b", Member("c2", pod: "c1"), "c2");
        await File.WriteAllTextAsync($"{Host.Directory}/go", "", TestContext.Current.CancellationToken);
        if (error == Deleted)
        {
            await InTimeAsync("delete", "--force", "c1");
        }

        (await create.FinishAsync()).AssertRefused(error);
        await AssertOnlySiblingsAsync("c2");
        await EndAsync("c2");
    }

    [Fact]
    public async Task Delete_ForcedWhileThePoststopHookOfAFailedCreateSleeps_LeavesTheSiblings()
    {
        await StartPodAsync();
        string bundle = Member("c1", "poststop", Sleep("c1"), also: "createRuntime");
        FaultCommand create = Host.Start("create", "-b", bundle, "c1");
        await FaultHarness.UntilAsync(() => HasBegun("c1"), "the poststop hook runs");

        await InTimeAsync("delete", "--force", "c1");
        await AssertStatusAsync("p1", "running");
        await InTimeAsync("exec", "p1", "true");
        FaultHarness.Kill(Assert.Single(SleepingHooks()));
        Outcome outcome = await create.FinishAsync();
        Assert.True(outcome.Code == 1, outcome.ToString());
        await AssertOnlySiblingsAsync("p1");
        await EndAsync("p1");
    }

    // The id is free then, and what a later container does with it the end of the first delete must not touch.
    [Fact]
    public async Task Delete_ForcedDuringThePoststopHook_FreesTheIdForGood()
    {
        await StartPodAsync();
        FaultCommand delete = await BeginDeleteAsync();
        await InTimeAsync("delete", "--force", "c1");
        await InTimeAsync("run", "-d", "-b", Member("c1"), "c1");

        FaultHarness.Kill(Assert.Single(SleepingHooks()));
        Outcome outcome = await delete.FinishAsync();
        Assert.True(outcome.Code == 0, outcome.ToString());
        await AssertOnlySiblingsAsync("c1", "p1");
        await InTimeAsync("exec", "c1", "true");
        await EndAsync("c1", "p1");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Delete_TwoAtOnce_LeaveNothingOfIt(bool force, bool hookSleeps)
    {
        await StartPodAsync();
        FaultCommand? create = hookSleeps ? await BeginCreateAsync() : null;
        if (!hookSleeps)
        {
            await Host.SucceedAsync("create", "-b", Member("c1"), "c1");
        }

        string[] arguments = force ? ["delete", "--force", "c1"] : ["delete", "c1"];
        FaultCommand[] deletes = [Host.Start(arguments), Host.Start(arguments)];
        Outcome[] outcomes = await Task.WhenAll(deletes.Select(static one => one.FinishAsync()));

        Assert.Contains(outcomes, static outcome => outcome.Code == 0);
        Assert.All(outcomes, static outcome => Assert.True(
            outcome.Code == 0 || outcome.Error.Contains("does not exist", StringComparison.Ordinal), outcome.ToString()));
        if (create is not null)
        {
            (await create.FinishAsync()).AssertRefused(Deleted);
        }

        await AssertOnlySiblingsAsync("p1");
        await EndAsync("p1");
    }

    // It is on its way, or waits for the machine to be up.
    [Theory]
    [InlineData(0)]
    [InlineData(300)]
    public async Task Delete_ForcedWhileThePodBoots_EndsTheCreateOfTheSecond(int milliseconds)
    {
        FaultCommand pod = Host.Start("run", "-d", "-b", Member("p1", pod: null), "p1");
        await FaultHarness.UntilAsync(() => File.Exists($"{Host.Root}/p1/task.sock"), "the service listens");
        FaultCommand create = Host.Start("create", "-b", Member("c2"), "c2");
        await FaultHarness.UntilAsync(() => new FileInfo($"{Host.Root}/@containers/c2").LinkTarget is not null, "the id is claimed");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        await InTimeAsync("delete", "--force", "c2");

        (await create.FinishAsync()).AssertRefused(Deleted.Replace("c1", "c2", StringComparison.Ordinal));
        Outcome outcome = await pod.FinishAsync();
        Assert.True(outcome.Code == 0, outcome.ToString());
        await AssertOnlySiblingsAsync("p1");
        await EndAsync("p1");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(30)]
    [InlineData(60)]
    [InlineData(120)]
    [InlineData(250)]
    public async Task Delete_OfTheLastWhileAnotherIsCreated_CreateIsWholeOrFails(int milliseconds)
    {
        await StartPodAsync();
        string bundle = Member("c2");
        FaultCommand create = Host.Start("create", "-b", bundle, "c2");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        Outcome deleted = await Host.RunAsync("delete", "--force", "p1");
        Outcome created = await create.FinishAsync();

        Assert.True(deleted.Code == 0, deleted.ToString());
        if (created.Code == 0)
        {
            await AssertStatusAsync("c2", "created");
            await InTimeAsync("start", "c2");
            await AssertOnlySiblingsAsync("c2");
            await EndAsync("c2");
        }
        else
        {
            created.AssertRefused("Cannot *");
            await Host.AssertNothingLeftAsync();
        }
    }

    // Its machine is gone by then.
    [Fact]
    public async Task Create_PoststopHookOfTheLastContainerSleeps_FailsAtOnce()
    {
        await Host.SucceedAsync("run", "-d", "-b", Member("c1", "poststop", Sleep("c1"), pod: null), "c1");
        FaultCommand delete = Host.Start("delete", "--force", "c1");
        await FaultHarness.UntilAsync(() => HasBegun("c1"), "the hook runs");

        var watch = Stopwatch.StartNew();
        (await Host.RunAsync("create", "-b", Member("c2", pod: "c1"), "c2")).AssertRefused(
            Deleted.Replace("c1", "c2", StringComparison.Ordinal));
        Assert.True(watch.Elapsed < s_seconds, watch.Elapsed.ToString());
        FaultHarness.Kill(Assert.Single(SleepingHooks()));
        Outcome outcome = await delete.FinishAsync();
        Assert.True(outcome.Code == 0, outcome.ToString());
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Delete_OfTheLastWhileTheHookOfAnotherSleeps_KeepsThePod()
    {
        await StartPodAsync();
        FaultCommand create = await BeginCreateAsync();
        await InTimeAsync("delete", "--force", "p1");
        FaultHarness.Signal(Assert.Single(SleepingHooks()), Signals.SIGTERM); // to the sleep alone; the hook ends well
        Outcome created = await create.FinishAsync();

        Assert.True(created.Code == 0, created.ToString());
        await InTimeAsync("start", "c1");
        await AssertOnlySiblingsAsync("c1");
        await EndAsync("c1");
    }

    // Ends with 0 whatever becomes of its sleep, and names the root, by which what is left is found.
    private string Sleep(string id) => $"{Begun(id)} sleep 120; : {Host.Root}";

    private string Begun(string id) => $"touch {Host.Directory}/begun-{id};";

    private bool HasBegun(string id) => File.Exists($"{Host.Directory}/begun-{id}");

    private string Member(
        string name, string? hookPoint = null, string script = "", string? pod = "p1", string? also = null) => Host.Bundle(name, config =>
    {
        config["annotations"] = pod is null
            ? new JsonObject { ["io.kubernetes.cri.container-type"] = "sandbox" }
            : new JsonObject { ["io.kubernetes.cri.container-type"] = "container", ["io.kubernetes.cri.sandbox-id"] = pod };
        if (hookPoint is not null)
        {
            JsonObject hooks = new() { [hookPoint] = Hook(script) };
            config["hooks"] = hooks;
            if (also is not null)
            {
                hooks[also] = Hook("exit 3");
            }
        }
    });

    private static JsonArray Hook(string script) => [new JsonObject
    {
        ["path"] = "/bin/sh",
        ["args"] = new JsonArray("sh", "-c", script),
        ["env"] = new JsonArray("PATH=/bin:/usr/bin"),
    }];

    private Task<Outcome> StartPodAsync() => Host.SucceedAsync("run", "-d", "-b", Member("p1", pod: null), "p1");

    private async Task<FaultCommand> BeginCreateAsync()
    {
        FaultCommand create = Host.Start("create", "-b", Member("c1", "createRuntime", Sleep("c1")), "c1");
        await FaultHarness.UntilAsync(() => HasBegun("c1"), "the hook runs");
        await AssertStatusAsync("c1", "creating");
        return create;
    }

    private async Task<FaultCommand> BeginDeleteAsync()
    {
        await Host.SucceedAsync("create", "-b", Member("c1", "poststop", Sleep("c1")), "c1");
        FaultCommand delete = Host.Start("delete", "--force", "c1");
        await FaultHarness.UntilAsync(() => HasBegun("c1"), "the hook runs");
        return delete;
    }

    private async Task InTimeAsync(params string[] arguments)
    {
        var watch = Stopwatch.StartNew();
        await Host.SucceedAsync(arguments);
        Assert.True(watch.Elapsed < s_seconds, $"{string.Join(' ', arguments)} took {watch.Elapsed.TotalSeconds:0.0} s");
    }

    private IReadOnlyList<int> SleepingHooks() => Host.PodProcesses("sleep");

    private async Task AssertStatusAsync(string id, string expected)
    {
        string state = (await Host.SucceedAsync("state", id)).Output;
        Assert.Equal(expected, (string?)JsonNode.Parse(state)!["status"]);
    }

    private async Task AssertOnlySiblingsAsync(params string[] siblings)
    {
        await FaultHarness.UntilAsync(() => SleepingHooks().Count == 0 && Host.PodProcesses("sh").Count == 0, "no hook is left");
        Outcome list = await Host.SucceedAsync("list", "-q");
        Assert.Equal(siblings, list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        foreach (string id in siblings)
        {
            await AssertStatusAsync(id, "running");
        }
    }

    private async Task EndAsync(params string[] ids)
    {
        foreach (string id in ids)
        {
            await InTimeAsync("delete", "--force", id);
        }

        await Host.AssertNothingLeftAsync();
    }
}
