using System.Text.Json.Nodes;

namespace Kata.Integration.Tests.Faults;

/// <summary>
/// Whatever is killed, and whenever: <c>delete --force</c> succeeds and nothing is left. The steps are the journal's own lines: as
/// each is written before its thing is made, a kill on seeing it hits the making itself.
/// </summary>
[Collection(FaultsCollection.Name)]
public sealed class KillAtStepTests : FaultTests
{
    public static TheoryData<string, int> Steps()
    {
        var data = new TheoryData<string, int>();
        foreach (string victim in (string[])["service", "command", "both"])
        {
            for (int line = 1; line <= 8; line++)
            {
                data.Add(victim, line);
            }
        }

        // These two have processes only when their own lines are being written.
        foreach (string victim in (string[])["qemu-system-x86", "virtiofsd"])
        {
            for (int line = 6; line <= 8; line++)
            {
                data.Add(victim, line);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Create_VictimKilledAtJournalLine_ForcedDeleteLeavesNothing(string victim, int line)
    {
        FaultCommand create = Host.Start("create", "-b", Host.Bundle(), "c1");
        string journal = Path.Combine(Host.Root, "c1", "journal");
        await FaultHarness.UntilAsync(() => LinesOf(journal) >= line || create.HasExited, $"the journal has {line} lines");
        KillVictim(victim, create);

        await Host.SucceedAsync("delete", "--force", "c1");
        await create.FinishAsync();

        await Host.AssertNothingLeftAsync();
        Assert.Equal("", (await Host.SucceedAsync("list", "-q")).Output);
    }

    public static TheoryData<string, int> Offsets()
    {
        var data = new TheoryData<string, int>();
        // All of 0 to 3 s in steps of 100 ms on request, a sample otherwise.
        int step = Environment.GetEnvironmentVariable("KATA_TEST_ALL_OFFSETS") is null ? 600 : 100;
        foreach (string victim in (string[])["service", "command", "both"])
        {
            for (int milliseconds = 0; milliseconds <= 3000; milliseconds += step)
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
        if (victim is "service" or "both" && LinesOf(Path.Combine(Host.Root, "c1", "journal")) > 0)
        {
            FaultHarness.Kill(Host.ServicePid("c1"));
        }

        if (victim is "command" or "both")
        {
            FaultHarness.Kill(command.Pid);
        }

        foreach (int process in Host.PodProcesses(victim))
        {
            FaultHarness.Kill(process);
        }
    }

    private static int LinesOf(string path)
    {
        try
        {
            return File.ReadAllBytes(path).Count(static value => value == '\n');
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
