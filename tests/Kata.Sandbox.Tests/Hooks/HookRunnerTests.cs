using Kata.Oci;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

public sealed class HookRunnerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly HookRunner _runner = new(
        new HookCaller { Variables = ["PATH=/usr/bin:/bin", "CALLER=yes"], Umask = 0x17 /* 0027 */ }, TimeProvider.System);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Run_Hook_GetsTheWholeStateItsArgumentsAndOnlyItsEnvironment()
    {
        HookSpec hook = Shell("cat > state; echo \"$0 $1\" > args; env > env; pwd > pwd") with { Env = ["A=1 2", "PATH=/usr/bin:/bin"] };
        await RunAsync(HookPoint.CreateRuntime, hook with { Args = [.. hook.Args!, "name", "one"] });

        RuntimeState state = OciJson.ParseState(File.ReadAllBytes(_directory.File("state")));
        Assert.Equal(("1.0.2", "c1", "creating", 42, _directory.Path), (state.OciVersion, state.Id, state.Status, state.Pid, state.Bundle));
        Assert.Equal("value", state.Annotations!["key"]);
        Assert.Equal("name one\n", File.ReadAllText(_directory.File("args")));
        Assert.Equal(["A=1 2", "PATH=/usr/bin:/bin"], File.ReadAllLines(_directory.File("env")).Where(
            static line => !line.StartsWith("PWD=") && line[0] != '_' && !line.StartsWith("SHLVL=") && !line.StartsWith("OLDPWD=")));
        Assert.Equal(_directory.Path + "\n", File.ReadAllText(_directory.File("pwd")));
    }

    [Fact]
    public async Task Run_NoEnvironment_HasTheCallers_AnEmptyOneIsEmpty()
    {
        HookSpec hook = Shell("echo \"${CALLER-unset}\" >> log") with { Env = null };
        await RunAsync(HookPoint.CreateRuntime, hook, hook with { Env = [] }, hook with { Env = ["CALLER=own"] });

        Assert.Equal(["yes", "unset", "own"], File.ReadAllLines(_directory.File("log")));
    }

    [Fact]
    public async Task Run_Files_HaveTheCallersMask()
    {
        string ours = Mask();
        await RunAsync(HookPoint.CreateRuntime, Shell("echo > file"));

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(_directory.File("file")));
        Assert.Equal(ours, Mask()); // ours is as before

        static string Mask() =>
            File.ReadLines("/proc/self/status").First(static line => line.StartsWith("Umask:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_OtherSurroundings_AreTheHooks()
    {
        string rootFs = Directory.CreateDirectory(_directory.File("rootfs")).FullName;
        HookSpec hook = Shell("{ pwd; echo $OF; } > log") with { Env = null };
        await _runner.RunAsync(
            HookPoint.CreateContainer, new HookSet { CreateContainer = [hook] }, State(), TestContext.Current.CancellationToken,
            new HookSurroundings(rootFs, ["OF=container"]));

        Assert.Equal([rootFs, "container"], File.ReadAllLines(Path.Combine(rootFs, "log")));
    }

    [Fact]
    public async Task Run_SeveralHooks_RunInOrderUntilTheFirstFailure()
    {
        HookException error = await Assert.ThrowsAsync<HookException>(
            () => RunAsync(
                HookPoint.CreateRuntime, Shell("echo 1 >> log"), Shell("echo 2 >> log; echo oops >&2; exit 3"), Shell("echo 3 >> log")));

        Assert.Equal(["1", "2"], File.ReadAllLines(_directory.File("log")));
        Assert.Equal(
            "Cannot run the createRuntime hook 1 '/bin/sh': it ended with exit code 3 and wrote 'oops'. "
                + "Correct the hook, or remove it from the bundle's config.json",
            error.Message);
    }

    [Fact]
    public async Task RunAll_OneFails_IsToldAndTheOthersRun()
    {
        var failures = new List<string>();
        var hooks = new HookSet { Poststop = [Shell("exit 1"), Shell("echo 2 >> log")] };
        await _runner.RunAllAsync(HookPoint.Poststop, hooks, State(), failures.Add, TestContext.Current.CancellationToken).Within();

        Assert.Contains("poststop hook 0", Assert.Single(failures), StringComparison.Ordinal);
        Assert.Equal(["2"], File.ReadAllLines(_directory.File("log")));
    }

    [Fact]
    public async Task Run_LongerThanItsTimeout_IsKilledWithItsChildren()
    {
        HookSpec hook = Shell("sleep 600 & echo $! > child; wait") with { Timeout = 1 };
        HookException error = await Assert.ThrowsAsync<HookException>(() => RunAsync(HookPoint.Prestart, hook));

        Assert.Contains("timeout of 1 s", error.Message, StringComparison.Ordinal);
        string stat = $"/proc/{File.ReadAllText(_directory.File("child")).Trim()}/stat";
        Assert.True(!File.Exists(stat) || File.ReadAllText(stat).Contains(") Z ", StringComparison.Ordinal) || await IsGoneAsync(stat));
    }

    [Fact]
    public async Task Run_Cancelled_KillsTheHook()
    {
        using var cancel = new CancellationTokenSource();
        Task run = _runner.RunAsync(HookPoint.Prestart, new HookSet { Prestart = [Shell("sleep 600")] }, State(), cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.Within());
    }

    [Fact]
    public async Task Run_NoSuchProgram_SaysSo()
    {
        HookException error = await Assert.ThrowsAsync<HookException>(
            () => RunAsync(HookPoint.Prestart, new HookSpec { Path = "/no/such" }));
        Assert.Contains("'/no/such'", error.Message, StringComparison.Ordinal);
        Assert.Contains("ENOENT", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ReadsNothingOfALongState_IsNoFailure()
    {
        RuntimeState state = State() with { Annotations = new Dictionary<string, string> { ["long"] = new('x', 1024 * 1024) } };
        await _runner.RunAsync(
            HookPoint.Prestart, new HookSet { Prestart = [Shell("exit 0")] }, state, TestContext.Current.CancellationToken).Within();
    }

    [Fact]
    public async Task Run_LeavesADaemonWithItsOutput_DoesNotWaitForIt()
    {
        await RunAsync(HookPoint.Prestart, Shell("sleep 5 & echo $! > child"));
        Assert.True(File.Exists($"/proc/{File.ReadAllText(_directory.File("child")).Trim()}/stat"));
    }

    [Fact]
    public void LimitOf_Hooks_IsTheSumOrNone()
    {
        Assert.Equal(TimeSpan.Zero, HookRunner.LimitOf(null));
        Assert.Equal(
            TimeSpan.FromSeconds(5),
            HookRunner.LimitOf(new HookSet { Prestart = [Limited(2)], CreateContainer = [Limited(3)], Poststop = [Limited(9)] }));
        Assert.Null(HookRunner.LimitOf(new HookSet { Prestart = [Limited(2), new HookSpec { Path = "/x" }] }));
        Assert.Equal(TimeSpan.FromSeconds(11), HookRunner.LimitOfStart(
            new HookSet { Prestart = [Limited(2)], StartContainer = [Limited(3), Limited(3)], Poststart = [Limited(5)] }));
        Assert.Null(HookRunner.LimitOfStart(new HookSet { StartContainer = [Limited(3)], Poststart = [new HookSpec { Path = "/x" }] }));
    }

    private static HookSpec Limited(int seconds) => new() { Path = "/x", Timeout = seconds };

    private static HookSpec Shell(string script) => new() { Path = "/bin/sh", Args = ["sh", "-c", script], Env = ["PATH=/usr/bin:/bin"] };

    private static async Task<bool> IsGoneAsync(string stat)
    {
        for (int i = 0; i < 100 && File.Exists(stat); i++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken); // killed with its parent; its new parent reaps it
        }

        return !File.Exists(stat);
    }

    private RuntimeState State() => new()
    {
        OciVersion = "1.0.2",
        Id = "c1",
        Status = "creating",
        Pid = 42,
        Bundle = _directory.Path,
        Annotations = new Dictionary<string, string> { ["key"] = "value" },
    };

    private Task RunAsync(HookPoint point, params HookSpec[] hooks)
    {
        HookSet set = point == HookPoint.Prestart ? new HookSet { Prestart = hooks } : new HookSet { CreateRuntime = hooks };
        return _runner.RunAsync(point, set, State(), TestContext.Current.CancellationToken).Within();
    }
}
