using System.Text.Json.Nodes;
using Kata.Linux;

namespace Kata.Integration.Tests.Faults;

/// <summary>poststop hooks of a container whose service is gone: <c>delete</c> runs them itself, once, at the end.</summary>
[Collection(FaultsCollection.Name)]
public sealed class PoststopTests : FaultTests
{
    private string Log => Path.Combine(Host.Directory, "log");

    [Theory]
    [InlineData(Signals.SIGKILL, false)]
    [InlineData(Signals.SIGKILL, true)]
    [InlineData(Signals.SIGSTOP, true)]
    public async Task Delete_NoServiceAnswers_RunsTheHooksOnceWithTheState(int signal, bool force)
    {
        string bundle = Bundle(
            $"cat > {Host.Directory}/state.json; echo \"$1 $GIVEN\" >> {Log}; if test -e {Host.Root}/c1; then echo early >> {Log}; fi");
        await Host.SucceedAsync("run", "-d", "-b", bundle, "c1");
        int service = Host.ServicePid("c1");
        FaultHarness.Signal(service, signal);
        if (signal == Signals.SIGKILL)
        {
            await FaultHarness.UntilAsync(() => !Directory.Exists($"/proc/{service}"), "the service is gone");
        }

        Assert.False(File.Exists(Log));
        await Host.SucceedAsync(["delete", .. force ? new[] { "--force" } : [], "c1"]);

        Assert.Equal("one value\n", await File.ReadAllTextAsync(Log, TestContext.Current.CancellationToken));
        JsonNode state =
            JsonNode.Parse(await File.ReadAllTextAsync($"{Host.Directory}/state.json", TestContext.Current.CancellationToken))!;
        Assert.Equal(
            ["1.0.2", "c1", "stopped", bundle],
            new[] { "ociVersion", "id", "status", "bundle" }.Select(name => (string?)state[name]));
        Assert.Equal(("b", null), ((string?)state["annotations"]!["a"], state["pid"]?.ToString()));
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Delete_HookFails_IsToldAndTheNextOneRuns()
    {
        string bundle = Bundle("echo no good >&2; exit 9", $"echo second >> {Log}");
        await Host.SucceedAsync("run", "-d", "-b", bundle, "c1");
        FaultHarness.Kill(Host.ServicePid("c1"));
        await FaultHarness.UntilAsync(() => !Directory.Exists($"/proc/{Host.ServicePid("c1")}"), "the service is gone");

        Outcome outcome = await Host.SucceedAsync("delete", "c1");
        Assert.Matches(
            "^kata-runtime: warning: Cannot run the poststop hook 0 '/bin/sh': it ended with [^:]*9 and wrote 'no good'", outcome.Error);
        Assert.Equal("second\n", await File.ReadAllTextAsync(Log, TestContext.Current.CancellationToken));
        await Host.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Delete_ServiceKilledAmongTheCreateHooks_RunsThemToo()
    {
        string bundle = Host.Bundle(edit: config =>
        {
            config["hooks"] = new JsonObject
            {
                ["prestart"] = Hooks($"touch {Host.Directory}/begun; exec sleep 1000"),
                ["poststop"] = Hooks($"echo stopped >> {Log}"),
            };
        });
        FaultCommand create = Host.Start("create", "-b", bundle, "c1");
        await FaultHarness.UntilAsync(() => File.Exists($"{Host.Directory}/begun"), "the first hook runs");
        int service = Host.ServicePid("c1");
        FaultHarness.Kill(create.Pid); // else it would take everything back itself
        FaultHarness.Kill(service);
        await FaultHarness.UntilAsync(() => !Directory.Exists($"/proc/{service}"), "the service is gone");

        await Host.SucceedAsync("delete", "--force", "c1");
        Assert.Equal("stopped\n", await File.ReadAllTextAsync(Log, TestContext.Current.CancellationToken));
        await Host.AssertNothingLeftAsync();
    }

    private static JsonArray Hooks(params string[] scripts) => [.. scripts.Select(static script => (JsonNode)new JsonObject
    {
        ["path"] = "/bin/sh",
        ["args"] = new JsonArray("sh", "-c", script, "zero", "one"),
        ["env"] = new JsonArray("GIVEN=value", "PATH=/bin:/usr/bin"),
    })];

    private string Bundle(params string[] scripts) => Host.Bundle(edit: config =>
    {
        config["annotations"] = new JsonObject { ["a"] = "b" };
        config["hooks"] = new JsonObject { ["poststop"] = Hooks(scripts) };
    });
}
