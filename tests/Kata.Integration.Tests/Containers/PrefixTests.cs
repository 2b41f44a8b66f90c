using System.Text.Json.Nodes;
using Kata.Integration.Tests.Faults;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>Ids by their beginning, from creation to deletion.</summary>
public sealed class PrefixTests : IAsyncLifetime
{
    private readonly FaultHarness _host = new();

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists(FaultHarness.Runtime), "needs artifacts/bin/kata-runtime; run 'make' first");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Verbs_BeginningOfAnId_OnlyThoseThatLookFindTheContainer()
    {
        await _host.SucceedAsync("create", "-b", _host.Bundle(), "alpha");
        string[][] changing =
        [
            ["start", "alp"], ["exec", "alp", "true"], ["kill", "alp", "KILL"], ["pause", "alp"], ["resume", "alp"],
            ["update", "--pids-limit", "50", "alp"], ["delete", "alp"],
        ];
        foreach (string[] verb in changing)
        {
            Assert.Contains(
                "'alp': it does not exist. See 'kata-runtime list'", (await _host.RunAsync(verb)).Error, StringComparison.Ordinal);
        }

        await _host.SucceedAsync("start", "alpha");
        Assert.Equal("running", JsonNode.Parse((await _host.SucceedAsync("state", "a")).Output)!["status"]!.GetValue<string>());
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        while (!(await _host.SucceedAsync("ps", "al")).Output.Contains("sleep", StringComparison.Ordinal))
        {
            await Task.Delay(100, limit.Token); // for a moment after the start it is still the guest's runtime
        }

        Assert.Contains(
            "\"id\":\"alpha\"", (await _host.SucceedAsync("events", "--stats", "al")).Output.Replace(" ", ""), StringComparison.Ordinal);
        Assert.Equal("hello\n", (await _host.SucceedAsync(
            "exec", "--cgroup", "/", "--preserve-fds", "0", "--apparmor", "x", "--process-label", "y", "alpha", "echo", "hello")).Output);
        await _host.SucceedAsync("delete", "--force", "al");
        Assert.Equal("alpha\n", (await _host.SucceedAsync("list", "-q")).Output);
        await _host.SucceedAsync("kill", "--all", "alpha", "KILL");
        await FaultHarness.UntilAsync(
            () => File.ReadAllText(Path.Combine(_host.Root, "alpha", "state.json")).Contains("\"stopped\"", StringComparison.Ordinal),
            "the container has ended");
        await _host.SucceedAsync("delete", "alpha");
        await _host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Spec_TheTemplate_RunsOnceItsProgramNeedsNoTerminal()
    {
        string bundle = _host.Bundle();
        File.Delete($"{bundle}/config.json");
        await _host.SucceedAsync("spec", "--bundle", bundle);
        JsonNode config = JsonNode.Parse(await File.ReadAllTextAsync($"{bundle}/config.json", TestContext.Current.CancellationToken))!;
        config["process"]!["terminal"] = false;
        config["process"]!["args"] = new JsonArray("echo", "hello");
        await File.WriteAllTextAsync($"{bundle}/config.json", config.ToJsonString(), TestContext.Current.CancellationToken);
        Assert.Equal("hello\n", (await _host.SucceedAsync("run", "--bundle", bundle, "template")).Output);
        await _host.AssertNothingLeftAsync();
    }
}
