using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>The host's process for a detached container: engines enter its namespaces, and the guest can write to its root.</summary>
[Collection(ContainersGroup.Name)]
public sealed class StandInTests : IClassFixture<RuntimeFixture>
{
    private readonly RuntimeFixture _runtime;

    public StandInTests(RuntimeFixture runtime)
    {
        RuntimeFixture.Require();
        _runtime = runtime;
    }

    [Fact]
    public async Task StandIn_OfADetachedContainer_HasNothingOfTheHosts()
    {
        string id = await _runtime.StartSleeperAsync();
        string pid = JsonNode.Parse((await _runtime.RunAsync("state", id)).Ok().Text)!["pid"]!.ToString();

        foreach (string name in (string[])["mnt", "pid", "net", "uts", "ipc", "cgroup"])
        {
            Assert.NotEqual(new FileInfo($"/proc/self/ns/{name}").LinkTarget, new FileInfo($"/proc/{pid}/ns/{name}").LinkTarget);
        }

        // Of every thread: each has rights of its own.
        foreach (string thread in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            Dictionary<string, string> status = File.ReadLines(Path.Combine(thread, "status"))
                .Select(static line => line.Split(':', 2)).ToDictionary(static pair => pair[0], static pair => pair[1].Trim());
            Assert.Equal(["65534", "65534", "65534", "65534"], status["Uid"].Split('\t'));
            Assert.Equal(["65534", "65534", "65534", "65534"], status["Gid"].Split('\t'));
            Assert.Equal("", status["Groups"]);
            Assert.Equal(
                ("0000000000000000", "0000000000000000", "0000000000000000"), (status["CapInh"], status["CapPrm"], status["CapEff"]));
            Assert.Equal("00000000802000c2", status["CapBnd"]);
            Assert.Equal("1", status["NoNewPrivs"]);
        }

        // An engine that enters and sets a name sets nobody else's.
        string before = Environment.MachineName;
        using (RunningCommand enter = RunningCommand.Start(
            "/usr/bin/nsenter", ["-t", pid, "-u", "/bin/sh", "-c", "hostname; hostname changed-by-an-engine; hostname"]))
        {
            Assert.Equal(["kata-test", "changed-by-an-engine"], (await enter.FinishAsync(default, RuntimeFixture.Limit)).Ok().Lines);
        }

        Assert.Equal(before, (await File.ReadAllTextAsync("/proc/sys/kernel/hostname", TestContext.Current.CancellationToken)).Trim());

        // It still does what it is for.
        Assert.Equal("here", (await _runtime.ExecAsync(id, "echo", "here")).Ok().Text);
        using (RunningCommand kill = RunningCommand.Start("/bin/sh", ["-c", $"kill -TERM {pid}; kill -KILL {pid}"]))
        {
            (await kill.FinishAsync(default, RuntimeFixture.Limit)).Ok();
        }

        (await _runtime.RunAsync("delete", "--force", id)).Ok();
        await _runtime.AssertCleanAsync();
    }
}
