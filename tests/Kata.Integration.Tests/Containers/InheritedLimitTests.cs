using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>
/// Limits that nobody asked for are the caller's, those that the guest's kernel does not have at first
/// are raised, and a full container says so.
/// </summary>
[Collection(ContainersGroup.Name)]
public sealed class InheritedLimitTests : IClassFixture<PodFixture>
{
    private const string Files = "ulimit -S -n; ulimit -H -n";

    private readonly PodFixture _pod;

    public InheritedLimitTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task Run_NoLimits_HasTheCallers()
    {
        TestBundle bundle = _pod.NewPodBundle().Shell(Files).Edit(static bundle => bundle.Process.Remove("rlimits"));

        CommandResult result = await LimitedAsync("ulimit -S -n 701; ulimit -H -n 801", ["run", "--bundle", bundle.Write(), _pod.NewId()]);

        Assert.Equal(["701", "801"], result.Ok().Lines);
    }

    [Fact]
    public async Task Exec_NoLimits_HasItsOwnCallers()
    {
        string id = await _pod.StartSleeperAsync(bundle => bundle.InPod(_pod.PodId).Process.Remove("rlimits"));

        CommandResult result = await LimitedAsync(
            "ulimit -S -n 702; ulimit -H -n 802; ulimit -c 0", ["exec", id, "sh", "-c", $"{Files}; ulimit -c"]);

        Assert.Equal(["702", "802", "0"], result.Ok().Lines);
    }

    [Fact]
    public async Task Exec_LimitsOfTheContainer_GoBeforeTheCallers()
    {
        CommandResult result = await LimitedAsync("ulimit -n 703", ["exec", _pod.PodId, "sh", "-c", Files]);

        Assert.Equal(["1024", "1024"], result.Ok().Lines); // of the bundle
    }

    [Theory]
    [InlineData("", 2_000_000ul, "1500000")]
    [InlineData("user", 2_100_000ul, "2100000")]
    [InlineData("user", ulong.MaxValue, "2147483584")]
    public async Task OpenFiles_MoreThanTheGuestHad_AreRaisedOrTheMostItCanGive(string space, ulong hard, string shown)
    {
        CommandResult result = await _pod.RunShellAsync(Files, bundle =>
        {
            bundle.Process["rlimits"] = new JsonArray(
                new JsonObject { ["type"] = "RLIMIT_NOFILE", ["soft"] = space.Length == 0 ? 1_500_000ul : hard, ["hard"] = hard });
            if (space.Length > 0)
            {
                // Its root may not raise a limit: what it gets it must have from outside.
                bundle.Linux["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = space });
                bundle.Linux["uidMappings"] = JsonNode.Parse("""[{"hostID":0,"containerID":0,"size":65536}]""");
                bundle.Linux["gidMappings"] = JsonNode.Parse("""[{"hostID":0,"containerID":0,"size":65536}]""");
            }
        });

        Assert.Equal(shown, result.Ok().Lines[0]);
    }

    [Fact]
    public async Task Exec_NoRoomForProcesses_SaysSoAndWorksAgainAfterwards()
    {
        const string Load = "for i in 1 2 3 4 5 6; do sleep 1000 & done; wait; exec sleep 100000";
        string id = await _pod.StartSleeperAsync(bundle =>
            bundle.InPod(_pod.PodId).Shell(Load).Linux["resources"]!["pids"] = new JsonObject { ["limit"] = 8 });
        while ((await _pod.RunAsync("ps", id)).Ok().Lines.Count(static line => line.EndsWith(" sleep 1000", StringComparison.Ordinal)) < 6)
        {
            await Task.Delay(200, TestContext.Current.CancellationToken); // nothing tells how far the shell is
        }

        CommandResult full = await _pod.ExecAsync(id, "true");
        (await _pod.RunAsync("update", "--pids-limit", "20", id)).Ok();
        CommandResult raised = await _pod.ExecShellAsync(id, "kill $(ps -o pid,args | grep '[0-9] sleep 1000$' | cut -c1-5)");
        (await _pod.RunAsync("update", "--pids-limit", "8", id)).Ok();
        CommandResult afterwards = await _pod.ExecAsync(id, "true");

        Assert.Equal(255, full.ExitCode); // its own failure, as runc
        // 8: one of crun's own is ending.
        Assert.Matches("the container has [78] processes of the 8 that its limit \\(pids\\) allows", full.Error);
        Assert.Contains("raise the limit with 'update --pids-limit'", full.Error, StringComparison.Ordinal);
        raised.Ok();
        afterwards.Ok();
    }

    // By a shell that lowers its own limits first.
    private async Task<CommandResult> LimitedAsync(string limits, string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(
            "/bin/bash", ["-c", $"{limits}; exec \"$@\"", "bash", RuntimeFixture.RuntimePath!, .. _pod.Globals(arguments)]);
        return await command.FinishAsync(default, RuntimeFixture.Limit);
    }
}
