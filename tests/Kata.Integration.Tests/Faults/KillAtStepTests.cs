using System.Text.Json.Nodes;

namespace Kata.Integration.Tests.Faults;

/// <summary>
/// Whatever is killed, and whenever: <c>delete --force</c> succeeds and nothing is left. The steps are the journal's own lines: as
/// each is written before its thing is made, a kill there hits the making itself.
/// </summary>
[Collection(FaultsCollection.Name)]
public sealed class KillAtStepTests : FaultTests
{
    /// <summary>Every line of the journal of a whole create, so that a new step is among them, and each process that one records.</summary>
    public static async Task<TheoryData<string, int>> Steps()
    {
        string[] journal = await ReadWholeJournalAsync();
        var data = new TheoryData<string, int>();
        foreach (string victim in (string[])["service", "command", "both"])
        {
            for (int line = 1; line <= journal.Length; line++)
            {
                data.Add(victim, line);
            }
        }

        for (int line = 1; line <= journal.Length; line++)
        {
            if ((string?)JsonNode.Parse(journal[line - 1])!["kind"] == "Process")
            {
                data.Add("recorded", line);
            }
        }

        foreach (string victim in (string[])["qemu-system-x86", "virtiofsd"])
        {
            data.Add(victim, journal.Length); // each lives then; in which order they come is not certain
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Steps), DisableDiscoveryEnumeration = true)]
    public async Task Create_VictimKilledAtJournalLine_ForcedDeleteLeavesNothing(string victim, int line)
    {
        JournalStop stop = await JournalStop.CreateAsync(Host, "c1", line);
        if (victim is "qemu-system-x86" or "virtiofsd")
        {
            // It lives, and may not be the program yet.
            await FaultHarness.UntilAsync(() => Host.PodProcesses(victim).Count > 0, $"there is a {victim}");
        }

        KillVictim(victim, stop.Command);
        if (victim is not ("service" or "both"))
        {
            stop.Continue();
        }

        await Host.SucceedAsync("delete", "--force", "c1");
        await stop.Command.FinishAsync();

        await Host.AssertNothingLeftAsync();
        Assert.Equal("", (await Host.SucceedAsync("list", "-q")).Output);
    }

    public static TheoryData<string, int> Offsets()
    {
        var data = new TheoryData<string, int>();
        // All of 0 to 3 s in steps of 100 ms on request, a sample otherwise: when the journal's lines are written has a test of its own.
        int step = Environment.GetEnvironmentVariable("KATA_TEST_ALL_OFFSETS") is null ? 750 : 100;
        foreach (string victim in (string[])["service", "command", "both"])
        {
            // At first there is no service: the command alone is there to be killed.
            for (int milliseconds = victim == "command" ? 0 : step; milliseconds <= 3000; milliseconds += step)
            {
                data.Add(victim, milliseconds);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Offsets))]
    public async Task Run_VictimKilledAfterTime_ForcedDeleteLeavesNothing(string victim, int milliseconds)
    {
        FaultCommand run = Host.Start("run", "-b", Host.Bundle(), "c1");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        KillVictim(victim, run);

        await Host.SucceedAsync("delete", "--force", "c1");
        // A delete that came before the id was claimed had nothing to do, and the container lives as it should.
        await FaultHarness.UntilAsync(() => run.HasExited || IsRunning("c1"), "the command has ended or the container runs");
        await Host.SucceedAsync("delete", "--force", "c1");
        await run.FinishAsync();

        await Host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(60)]
    [InlineData(90)]
    [InlineData(120)]
    [InlineData(300)]
    public async Task Delete_KilledOnTheWay_SecondOneFinishes(int milliseconds)
    {
        await Host.SucceedAsync("create", "-b", Host.Bundle(), "c1");
        int service = Host.ServicePid("c1");
        FaultCommand delete = Host.Start("delete", "--force", "c1");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        FaultHarness.Kill(delete.Pid);
        FaultHarness.Kill(service);

        await Host.SucceedAsync("delete", "--force", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Delete_TwoAtOnce_BothEndAndNothingIsLeft()
    {
        await Host.SucceedAsync("create", "-b", Host.Bundle(), "c1");
        FaultCommand[] deletes = [Host.Start("delete", "c1"), Host.Start("delete", "c1")];
        Outcome[] outcomes = await Task.WhenAll(deletes.Select(static delete => delete.FinishAsync()));

        Assert.Contains(outcomes, static outcome => outcome.Code == 0);
        Assert.All(outcomes, static outcome => Assert.True(
            outcome.Code == 0 || outcome.Error.Contains("does not exist", StringComparison.Ordinal), outcome.ToString()));
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_TwoWithOneId_OneWins()
    {
        string bundle = Host.Bundle();
        FaultCommand[] creates = [Host.Start("create", "-b", bundle, "c1"), Host.Start("create", "-b", bundle, "c1")];
        Outcome[] outcomes = await Task.WhenAll(creates.Select(static create => create.FinishAsync()));

        Assert.Single(outcomes, static outcome => outcome.Code == 0);
        outcomes.Single(static outcome => outcome.Code != 0)
            .AssertRefused(
                "Cannot create the container 'c1': a container with this id exists already. Choose another id, or delete it first");
        Assert.Contains("\"created\"", (await Host.SucceedAsync("state", "c1")).Output);
        await Host.SucceedAsync("delete", "c1");
        await Host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("exec", "c1", "true")]
    [InlineData("start", "c1")]
    [InlineData("kill", "c1", "KILL")]
    public async Task Delete_AndAnotherCommandAtOnce_EachEndsLegally(params string[] other)
    {
        await Host.SucceedAsync("create", "-b", Host.Bundle(), "c1");
        if (other[0] == "exec")
        {
            await Host.SucceedAsync("start", "c1");
        }

        FaultCommand command = Host.Start(other);
        FaultCommand delete = Host.Start("delete", "--force", "c1");
        Outcome first = await command.FinishAsync();
        Outcome second = await delete.FinishAsync();

        Assert.True(second.Code == 0, second.ToString());
        Assert.True(first.Code is 0 or 1 or 137 or 255, first.ToString());
        Assert.True(
            first.Code == 0 || first.Error.StartsWith("kata-runtime: ", StringComparison.Ordinal) || first.Code > 1, first.ToString());
        Assert.DoesNotContain("Object reference", first.Error);
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Delete_DuringCreate_CreateFailsAndNothingIsLeft()
    {
        FaultCommand create = Host.Start("create", "-b", Host.Bundle(), "c1");
        await FaultHarness.UntilAsync(
            () => File.Exists(Path.Combine(Host.Root, "@containers", "c1")) || LinkExists("c1"), "the id is claimed");
        await Host.SucceedAsync("delete", "--force", "c1");

        Outcome outcome = await create.FinishAsync();
        Assert.True(outcome.Code == 1, outcome.ToString());
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_IdOfLivingPodWhoseFirstContainerIsGone_LeavesThePodAlone()
    {
        string pod = Host.Bundle(
            "pod", static config => config["annotations"] = new JsonObject { ["io.kubernetes.cri.container-type"] = "sandbox" });
        string inner = Host.Bundle("inner", static config => config["annotations"] = new JsonObject
        {
            ["io.kubernetes.cri.container-type"] = "container",
            ["io.kubernetes.cri.sandbox-id"] = "p1",
        });
        await Host.SucceedAsync("create", "-b", pod, "p1");
        await Host.SucceedAsync("create", "-b", inner, "i1");
        await Host.SucceedAsync("delete", "--force", "p1");

        (await Host.RunAsync("create", "-b", pod, "p1"))
            .AssertRefused("Cannot create the pod 'p1': a pod with this id exists already. Choose another id, or delete it first");
        Assert.Contains("\"created\"", (await Host.SucceedAsync("state", "i1")).Output);
        await Host.SucceedAsync("start", "i1");
        await Host.SucceedAsync("delete", "--force", "i1");
        await Host.AssertNothingLeftAsync();
    }

    private bool IsRunning(string id)
    {
        string state = Path.Combine(Host.Root, id, "state.json");
        try
        {
            return File.Exists(state) && File.ReadAllText(state).Contains("\"running\"", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // it goes away
        }
    }

    private bool LinkExists(string id) => new FileInfo(Path.Combine(Host.Root, "@containers", id)).LinkTarget is not null;

    private void KillVictim(string victim, FaultCommand command)
    {
        if (victim is "service" or "both" && File.Exists(Journal) && JournalStop.LinesOf(Journal) > 0)
        {
            FaultHarness.Kill(Host.ServicePid("c1"));
        }

        if (victim is "command" or "both")
        {
            FaultHarness.Kill(command.Pid);
        }

        if (victim is "recorded")
        {
            FaultHarness.Kill(FaultHarness.RecordedPid(File.ReadLines(Journal).Last()));
        }

        Assert.All(Host.PodProcesses(victim), FaultHarness.Kill);
    }

    private string Journal => JournalStop.JournalOf(Host, "c1");

    // Where nothing can be created, one line will do: each test says what is missing.
    private static async Task<string[]> ReadWholeJournalAsync()
    {
        if (Environment.UserName != "root" || !File.Exists(FaultHarness.Runtime))
        {
            return ["{}"];
        }

        await using var host = new FaultHarness();
        await host.SucceedAsync("create", "-b", host.Bundle(), "c1");
        string[] lines = await File.ReadAllLinesAsync(JournalStop.JournalOf(host, "c1"), TestContext.Current.CancellationToken);
        await host.SucceedAsync("delete", "--force", "c1");
        return lines;
    }
}
