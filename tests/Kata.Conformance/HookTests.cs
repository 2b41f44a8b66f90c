using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Conformance.Harness;
using Kata.Integration.Tests.Harness;

namespace Kata.Conformance;

/// <summary>config.md: POSIX-platform hooks.</summary>
public sealed class HookTests
{
    private static readonly (string Name, string Status)[] s_hostHooks =
    [
        ("prestart", "creating"), ("createRuntime", "creating"), ("createContainer", "creating"), ("poststart", "running"),
        ("poststop", "stopped"),
    ];

    public static TheoryData<string> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Hooks_OfEveryKind_RunInOrderWithTheState(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Hooks");
        string log = Path.Combine(on.Directory, "log");
        TestBundle bundle = on.NewBundle().Shell("echo started; exec sleep 1000").Annotation("org.example.key", "a value");
        bundle.Config["hooks"] = new JsonObject();
        foreach ((string name, string _) in s_hostHooks)
        {
            Add(
                bundle,
                name,
                $"cat > {on.Directory}/{name}.json; echo {name} >> {log}; echo \"$0 $GIVEN\" > {on.Directory}/{name}.args",
                "zero");
        }

        Add(bundle, "poststop", $"echo second >> {log}");
        Add(bundle, "startContainer", "cat > /start.json; echo startContainer > /start.log; echo $(hostname) >> /start.log", "zero");
        string started = Path.Combine(bundle.Directory, "rootfs/start.log"), id = on.NewId();

        (CommandResult created, RunningCommand container) = await on.CreateAsync(bundle, id);
        using (container)
        {
            on.That("create with hooks succeeds", created.ExitCode == 0, created.Error);
            on.That(
                "prestart, createRuntime, createContainer run at create, in this order",
                Lines(log) is ["prestart", "createRuntime", "createContainer"],
                string.Join(' ', Lines(log)));
            on.That("startContainer does not run at create", !File.Exists(started));
            string pid = (await on.StateAsync(id))?["pid"]?.ToString() ?? "";
            CommandResult start = await on.RunAsync("start", id);
            on.That("start with hooks succeeds", start.ExitCode == 0, start.Error);
            on.That("the program runs after its hooks", await ConformanceCase.ReadLineAsync(container) == "started");
            on.That(
                "startContainer runs in the container",
                Lines(started) is ["startContainer", "kata-test"],
                string.Join(' ', Lines(started)));
            on.That("poststart runs at start", Lines(log) is [_, _, _, "poststart"], string.Join(' ', Lines(log)));
            await on.RunAsync("kill", id, "KILL");
            await ConformanceCase.ReadLineAsync(container);
            on.That("poststop does not run at the end", !Lines(log).Contains("poststop"));
            CommandResult deleted = await on.RunAsync("delete", "--force", id);
            on.That(
                "poststop runs at delete",
                deleted.ExitCode == 0 && Lines(log) is [_, _, _, _, "poststop", "second"],
                string.Join(' ', Lines(log)) + deleted.Error);
            foreach ((string name, string status) in s_hostHooks)
            {
                CheckState(
                    on, name, status, Path.Combine(on.Directory, $"{name}.json"), id, bundle.Directory, status == "stopped" ? null : pid);
                on.That($"{name}: args and env", Lines(Path.Combine(on.Directory, $"{name}.args")) is ["zero value"]);
            }

            CheckState(on, "startContainer", "created", Path.Combine(bundle.Directory, "rootfs/start.json"), id, bundle.Directory, null);
        }

        on.Finish();
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Hooks_ThatFail_EndWhatTheyBelongTo(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Hooks");
        string log = Path.Combine(on.Directory, "log"), id = on.NewId();
        foreach (string name in new[] { "prestart", "createRuntime", "createContainer" })
        {
            TestBundle failing = WithHooks(on);
            Add(failing, name, "exit 9");
            (CommandResult created, RunningCommand left) = await on.CreateAsync(failing, id);
            left.Dispose();
            on.That($"{name}: a failure fails create", created.ExitCode != 0);
            on.That($"{name}: nothing is left after a failure", await on.StateAsync(id) is null);
            await on.RunAsync("delete", "--force", id);
        }

        TestBundle slow = WithHooks(on);
        Add(slow, "createRuntime", "exec sleep 1000", seconds: 1);
        Add(slow, "poststop", $"echo poststop >> {log}");
        (CommandResult late, RunningCommand none) = await on.CreateAsync(slow, id);
        none.Dispose();
        on.That("a hook beyond its timeout is ended and has failed", late.ExitCode != 0);
        on.That("poststop runs after a create that failed", Lines(log) is ["poststop"], string.Join(' ', Lines(log)));
        await on.RunAsync("delete", "--force", id);
        on.Finish();
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Hooks_ThatFailLater_AreHandled(string runtime)
    {
        await using ConformanceCase on = ConformanceCase.Begin(runtime, "Hooks");
        string log = Path.Combine(on.Directory, "log"), id = on.NewId();
        TestBundle bundle = WithHooks(on);
        Add(bundle, "startContainer", "exit 9");
        (CommandResult created, RunningCommand container) = await on.CreateAsync(bundle, id);
        on.That("create runs no startContainer hook", created.ExitCode == 0, created.Error);
        on.That("startContainer: a failure fails start", (await on.RunAsync("start", id)).ExitCode != 0);
        on.That(
            "startContainer: a failure ends the container, its program does not run",
            await ConformanceCase.ReadLineAsync(container) is null);
        container.Dispose();
        await on.RunAsync("delete", "--force", id);

        TestBundle lenient = WithHooks(on).Shell("echo started; exec sleep 1000");
        Add(lenient, "poststart", "exit 9");
        Add(lenient, "poststart", $"echo poststart >> {log}");
        Add(lenient, "poststop", "exit 9");
        Add(lenient, "poststop", $"echo poststop >> {log}");
        string second = on.NewId();
        (CommandResult other, RunningCommand running) = await on.CreateAsync(lenient, second);
        on.That("create runs no poststart hook", other.ExitCode == 0, other.Error);
        on.That("poststart: a failure does not fail start", (await on.RunAsync("start", second)).ExitCode == 0);
        on.That("poststart: the next hook runs after a failure", Lines(log).Contains("poststart"));
        on.That("poststart: a failure leaves the container running", await ConformanceCase.ReadLineAsync(running) == "started");
        await on.RunAsync("kill", second, "KILL");
        await ConformanceCase.ReadLineAsync(running);
        on.That("poststop: a failure does not fail delete", (await on.RunAsync("delete", "--force", second)).ExitCode == 0);
        on.That("poststop: the next hook runs after a failure", Lines(log).Contains("poststop"));
        running.Dispose();
        on.Finish();
    }

    private static TestBundle WithHooks(ConformanceCase on)
    {
        TestBundle bundle = on.NewBundle().Shell("exec sleep 1000");
        bundle.Config["hooks"] = new JsonObject();
        return bundle;
    }

    private static void Add(TestBundle bundle, string name, string script, string zero = "sh", int? seconds = null)
    {
        JsonObject hooks = bundle.Config["hooks"]!.AsObject();
        if (hooks[name] is null)
        {
            hooks[name] = new JsonArray();
        }

        var hook = new JsonObject
        {
            ["path"] = "/bin/sh",
            ["args"] = TestBundle.Array("sh", "-c", script, zero),
            ["env"] = TestBundle.Array("PATH=/usr/bin:/bin", "GIVEN=value"),
        };
        if (seconds is { } limit)
        {
            hook["timeout"] = limit;
        }

        hooks[name]!.AsArray().Add(hook);
    }

    private static void CheckState(ConformanceCase on, string name, string status, string file, string id, string bundle, string? pid)
    {
        JsonObject? state = File.Exists(file) && new FileInfo(file).Length > 0 ? JsonNode.Parse(File.ReadAllText(file))?.AsObject() : null;
        string seen = state?.ToJsonString() ?? "(nothing)";
        bool hasVersion = state?["ociVersion"]?.ToString().StartsWith("1.", StringComparison.Ordinal) ?? false;
        on.That(
            $"{name}: the state on its input has ociVersion, id and bundle",
            hasVersion && state?["id"]?.ToString() == id && state["bundle"]?.ToString() == bundle,
            seen);
        on.That(
            $"{name}: the state on its input has the annotations",
            state?["annotations"]?["org.example.key"]?.ToString() == "a value",
            seen);
        on.That($"{name}: the state on its input says {status}", state?["status"]?.ToString() == status, seen);
        if (pid is not null)
        {
            on.That(
                $"{name}: the state on its input has the pid",
                state?["pid"]?.ToString() == pid,
                string.Create(CultureInfo.InvariantCulture, $"{seen}, pid {pid}"));
        }
    }

    private static string[] Lines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];
}
