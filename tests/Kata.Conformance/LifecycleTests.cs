using System.Text.Json.Nodes;
using Kata.Conformance.Harness;
using Kata.Integration.Tests.Harness;

namespace Kata.Conformance;

/// <summary>runtime.md: state, life cycle, operations, errors.</summary>
public sealed class LifecycleTests
{
    public static TheoryData<string> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Lifecycle_OfOneContainer_IsTheSpecifications(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Life cycle");
        TestBundle bundle = on.NewBundle().Shell("echo started; exec sleep 1000").Annotation("org.example.key", "a value");
        string id = on.NewId();
        string pidFile = Path.Combine(on.Directory, "pid");
        on.That("start of a container that does not exist is an error", (await on.RunAsync("start", id)).ExitCode != 0);
        on.That("state of a container that does not exist is an error", await on.StateAsync(id) is null);
        on.That("kill of a container that does not exist is an error", (await on.RunAsync("kill", id, "KILL")).ExitCode != 0);
        on.That("delete of a container that does not exist is an error", (await on.RunAsync("delete", id)).ExitCode != 0);

        (CommandResult created, RunningCommand container) = await on.CreateAsync(bundle, id, "--pid-file", pidFile);
        using (container)
        {
            on.That("create succeeds", created.ExitCode == 0, created.Error);
            JsonObject? state = await on.StateAsync(id);
            CheckState(on, state, id, bundle, "created");
            on.That(
                "the pid file names the pid of the state",
                state is not null && File.ReadAllText(pidFile).Trim() == state["pid"]?.ToString());
            string other = on.NewBundle().Write();
            on.That("create with an id that is taken is an error", (await on.RunAsync("create", "--bundle", other, id)).ExitCode != 0);
            on.That("the failed create leaves the container alone", (await on.StateAsync(id))?["status"]?.ToString() == "created");

            CommandResult started = await on.RunAsync("start", id);
            on.That("start succeeds", started.ExitCode == 0, started.Error);
            on.That("the program runs after start and not before", await ConformanceCase.ReadLineAsync(container) == "started");
            CheckState(on, await on.StateAsync(id), id, bundle, "running");
            on.That("start of a running container is an error", (await on.RunAsync("start", id)).ExitCode != 0);
            on.That("delete of a running container is an error", (await on.RunAsync("delete", id)).ExitCode != 0);
            on.That("the failed delete leaves the container alone", (await on.StateAsync(id))?["status"]?.ToString() == "running");

            CommandResult killed = await on.RunAsync("kill", id, "KILL");
            on.That("kill succeeds", killed.ExitCode == 0, killed.Error);
            on.That("the program ends by the signal", await ConformanceCase.ReadLineAsync(container) is null);
            JsonObject? stopped = await StoppedAsync(on, id);
            on.That("the state is stopped after the end", stopped?["status"]?.ToString() == "stopped", stopped?.ToJsonString());
            on.That("start of a stopped container is an error", (await on.RunAsync("start", id)).ExitCode != 0);
            on.That("kill of a stopped container is an error", (await on.RunAsync("kill", id, "KILL")).ExitCode != 0);

            CommandResult deleted = await on.RunAsync("delete", id);
            on.That("delete of a stopped container succeeds", deleted.ExitCode == 0, deleted.Error);
            on.That("nothing answers for a deleted container", await on.StateAsync(id) is null);
        }

        on.Finish();
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Create_BundleThatIsWrong_IsAnError(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Bundle and configuration");
        string empty = Path.Combine(on.Directory, "empty");
        Directory.CreateDirectory(empty);
        string id = on.NewId();
        on.That("a bundle without config.json is an error", (await on.RunAsync("create", "--bundle", empty, id)).ExitCode != 0);
        await WrongAsync("a configuration without ociVersion is an error", static bundle => bundle.Config.Remove("ociVersion"));
        await WrongAsync("a configuration without root is an error", static bundle => bundle.Config.Remove("root"));
        await WrongAsync("a relative process.cwd is an error", static bundle => bundle.Process["cwd"] = "tmp");
        await WrongAsync("a root.path that does not exist is an error", static bundle => bundle.Config["root"]!["path"] = "missing");
        await WrongAsync("a namespace given twice is an error", static bundle =>
            bundle.Linux["namespaces"]!.AsArray().Add(JsonNode.Parse("""{ "type": "pid" }""")));
        await WrongAsync("a namespace of an unknown type is an error", static bundle =>
            bundle.Linux["namespaces"]!.AsArray().Add(JsonNode.Parse("""{ "type": "colour" }""")));
        await WrongAsync("an unknown rlimit is an error", static bundle =>
            bundle.Process["rlimits"] = JsonNode.Parse("""[{ "type": "RLIMIT_X", "soft": 1, "hard": 1 }]"""));
        await WrongAsync("a soft rlimit above the hard one is an error", static bundle =>
            bundle.Process["rlimits"] = JsonNode.Parse("""[{ "type": "RLIMIT_NOFILE", "soft": 20, "hard": 10 }]"""));
        on.That("nothing is left of a create that failed", await on.StateAsync(id) is null);
        on.Finish();

        async Task WrongAsync(string expectation, Action<TestBundle> edit)
        {
            TestBundle bundle = on.NewBundle();
            edit(bundle);
            (CommandResult result, RunningCommand container) = await on.CreateAsync(bundle, id);
            container.Dispose();
            on.That(expectation, result.ExitCode != 0);
            if (result.ExitCode == 0)
            {
                await on.RunAsync("delete", "--force", id);
            }
        }
    }

    private static void CheckState(ConformanceCase on, JsonObject? state, string id, TestBundle bundle, string status)
    {
        on.That(
            $"the state of a {status} container has an ociVersion",
            state?["ociVersion"]?.ToString().StartsWith("1.", StringComparison.Ordinal) ?? false,
            state?.ToJsonString());
        on.That($"the state of a {status} container has its id", state?["id"]?.ToString() == id);
        on.That($"the state of a {status} container has that status", state?["status"]?.ToString() == status, state?.ToJsonString());
        on.That(
            $"the state of a {status} container has its bundle", state?["bundle"]?.ToString() == bundle.Directory, state?.ToJsonString());
        on.That(
            $"the state of a {status} container has its annotations",
            state?["annotations"]?["org.example.key"]?.ToString() == "a value",
            state?.ToJsonString());
        on.That(
            $"the state of a {status} container has the pid of a process",
            state?["pid"] is { } pid && Directory.Exists($"/proc/{pid}"),
            state?.ToJsonString());
    }

    // The kernel tells the reader of a pipe before it tells a parent: a moment may pass.
    private static async Task<JsonObject?> StoppedAsync(ConformanceCase on, string id)
    {
        JsonObject? state = null;
        for (int i = 0; i < 50 && state?["status"]?.ToString() != "stopped"; i++)
        {
            state = await on.StateAsync(id);
        }

        return state;
    }
}
