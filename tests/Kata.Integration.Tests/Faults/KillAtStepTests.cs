using System.Text.Json.Nodes;
using Kata.Integration.Tests.Hypervisor;

namespace Kata.Integration.Tests.Faults;

/// <summary>
/// Whatever is killed, and whenever: <c>delete --force</c> succeeds and nothing is left. The steps are the journal's own lines: as
/// each is written before its thing is made, a kill on seeing it hits the making itself.
/// </summary>
[Collection(FaultsCollection.Name)]
public sealed class KillAtStepTests : IAsyncLifetime
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
        FaultCommand create = _host.Start("create", "-b", _host.Bundle(), "c1");
        string journal = Path.Combine(_host.Root, "c1", "journal");
        await FaultHarness.UntilAsync(() => LinesOf(journal) >= line || create.HasExited, $"the journal has {line} lines");
        KillVictim(victim, create);

        await _host.SucceedAsync("delete", "--force", "c1");
        await create.FinishAsync();

        await _host.AssertNothingLeftAsync();
        Assert.Equal("", (await _host.SucceedAsync("list", "-q")).Output);
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
        FaultCommand run = _host.Start("run", "-b", _host.Bundle(), "c1");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        KillVictim(victim, run);

        await _host.SucceedAsync("delete", "--force", "c1");
        // A delete that came before the id was claimed had nothing to do, and the container lives as it should.
        await FaultHarness.UntilAsync(() => run.HasExited || IsRunning("c1"), "the command has ended or the container runs");
        await _host.SucceedAsync("delete", "--force", "c1");
        await run.FinishAsync();

        await _host.AssertNothingLeftAsync();
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
        await _host.SucceedAsync("create", "-b", _host.Bundle(), "c1");
        int service = _host.ServicePid("c1");
        FaultCommand delete = _host.Start("delete", "--force", "c1");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        FaultHarness.Kill(delete.Pid);
        FaultHarness.Kill(service);

        await _host.SucceedAsync("delete", "--force", "c1");
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Delete_TwoAtOnce_BothEndAndNothingIsLeft()
    {
        await _host.SucceedAsync("create", "-b", _host.Bundle(), "c1");
        FaultCommand[] deletes = [_host.Start("delete", "c1"), _host.Start("delete", "c1")];
        Outcome[] outcomes = await Task.WhenAll(deletes.Select(static delete => delete.FinishAsync()));

        Assert.Contains(outcomes, static outcome => outcome.Code == 0);
        Assert.All(outcomes, static outcome => Assert.True(
            outcome.Code == 0 || outcome.Error.Contains("does not exist", StringComparison.Ordinal), outcome.ToString()));
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_TwoWithOneId_OneWins()
    {
        string bundle = _host.Bundle();
        FaultCommand[] creates = [_host.Start("create", "-b", bundle, "c1"), _host.Start("create", "-b", bundle, "c1")];
        Outcome[] outcomes = await Task.WhenAll(creates.Select(static create => create.FinishAsync()));

        Assert.Single(outcomes, static outcome => outcome.Code == 0);
        outcomes.Single(static outcome => outcome.Code != 0)
            .AssertRefused("Cannot create the container 'c1': a container with this id exists already. Choose another id, or delete it first");
        Assert.Contains("\"created\"", (await _host.SucceedAsync("state", "c1")).Output);
        await _host.SucceedAsync("delete", "c1");
        await _host.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("exec", "c1", "true")]
    [InlineData("start", "c1")]
    [InlineData("kill", "c1", "KILL")]
    public async Task Delete_AndAnotherCommandAtOnce_EachEndsLegally(params string[] other)
    {
        await _host.SucceedAsync("create", "-b", _host.Bundle(), "c1");
        if (other[0] == "exec")
        {
            await _host.SucceedAsync("start", "c1");
        }

        FaultCommand command = _host.Start(other);
        FaultCommand delete = _host.Start("delete", "--force", "c1");
        Outcome first = await command.FinishAsync();
        Outcome second = await delete.FinishAsync();

        Assert.True(second.Code == 0, second.ToString());
        Assert.True(first.Code is 0 or 1 or 137 or 255, first.ToString());
        Assert.True(first.Code == 0 || first.Error.StartsWith("kata-runtime: ", StringComparison.Ordinal) || first.Code > 1, first.ToString());
        Assert.DoesNotContain("Object reference", first.Error);
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Delete_DuringCreate_CreateFailsAndNothingIsLeft()
    {
        FaultCommand create = _host.Start("create", "-b", _host.Bundle(), "c1");
        await FaultHarness.UntilAsync(() => File.Exists(Path.Combine(_host.Root, "@containers", "c1")) || LinkExists("c1"), "the id is claimed");
        await _host.SucceedAsync("delete", "--force", "c1");

        Outcome outcome = await create.FinishAsync();
        Assert.True(outcome.Code == 1, outcome.ToString());
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Create_IdOfLivingPodWhoseFirstContainerIsGone_LeavesThePodAlone()
    {
        string pod = _host.Bundle("pod", static config => config["annotations"] = new JsonObject { ["io.kubernetes.cri.container-type"] = "sandbox" });
        string inner = _host.Bundle("inner", static config => config["annotations"] = new JsonObject
        {
            ["io.kubernetes.cri.container-type"] = "container",
            ["io.kubernetes.cri.sandbox-id"] = "p1",
        });
        await _host.SucceedAsync("create", "-b", pod, "p1");
        await _host.SucceedAsync("create", "-b", inner, "i1");
        await _host.SucceedAsync("delete", "--force", "p1");

        (await _host.RunAsync("create", "-b", pod, "p1"))
            .AssertRefused("Cannot create the pod 'p1': a pod with this id exists already. Choose another id, or delete it first");
        Assert.Contains("\"created\"", (await _host.SucceedAsync("state", "i1")).Output);
        await _host.SucceedAsync("start", "i1");
        await _host.SucceedAsync("delete", "--force", "i1");
        await _host.AssertNothingLeftAsync();
    }

    private bool IsRunning(string id)
    {
        string state = Path.Combine(_host.Root, id, "state.json");
        try
        {
            return File.Exists(state) && File.ReadAllText(state).Contains("\"running\"", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // it goes away
        }
    }

    private bool LinkExists(string id) => new FileInfo(Path.Combine(_host.Root, "@containers", id)).LinkTarget is not null;

    private void KillVictim(string victim, FaultCommand command)
    {
        if (victim is "service" or "both" && LinesOf(Path.Combine(_host.Root, "c1", "journal")) > 0)
        {
            FaultHarness.Kill(_host.ServicePid("c1"));
        }

        if (victim is "command" or "both")
        {
            FaultHarness.Kill(command.Pid);
        }

        foreach (int process in _host.PodProcesses(victim))
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
