using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary><c>create start state list kill delete</c>, in one pod.</summary>
[Collection(ContainersGroup.Name)]
public sealed class LifeCycleTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public LifeCycleTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task State_CreatedStartedKilled_FollowsTheContainer()
    {
        string id = await CreateSleeperAsync();
        JsonObject created = await StateAsync(id);
        (await _pod.RunAsync("start", id)).Ok();
        JsonObject running = await StateAsync(id);
        (await _pod.RunAsync("kill", id, "KILL")).Ok();
        await EndedAsync(Pid(running));
        JsonObject stopped = await StateAsync(id);
        (await _pod.RunAsync("delete", id)).Ok();

        Assert.Equal(
            ["created", "running", "stopped"], new[] { created, running, stopped }.Select(static state => (string?)state["status"]));
        Assert.Equal(Pid(created), Pid(running));
        Assert.Equal(0, Pid(stopped));
    }

    /// <summary>As with runc; crun calls a keyring by the id, and no keyring may have a leading dot.</summary>
    [Theory]
    [InlineData(".", 0, true)]
    [InlineData("..", 0, false)]
    [InlineData("_", 255, true)]
    [InlineData(".", 255, false)]
    public async Task Run_IdThatRuncTakes_Runs(string beginning, int length, bool inPod)
    {
        string id = $"{beginning}{_pod.NewId()}".PadRight(length, 'x');
        TestBundle bundle = (inPod ? _pod.NewPodBundle() : _pod.NewBundle()).Shell("echo runs; exec sleep 100000");

        (await _pod.RunDetachedAsync("run", "--detach", "--bundle", bundle.Write(), id)).Result.Ok();

        Assert.Equal("here", (await _pod.ExecAsync(id, "echo", "here")).Ok().Text);
        Assert.Contains("\"status\": \"running\"", (await _pod.RunAsync("state", id)).Ok().Text, StringComparison.Ordinal);
        (await _pod.RunAsync("update", "--pids-limit", "50", id)).Ok();
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task State_Created_HasTheFieldsOfTheSpecificationAndOfRunc()
    {
        string id = _pod.NewId();
        TestBundle bundle = _pod.NewPodBundle().Args("sleep", "1000").Annotation("org.example.key", "value");
        (await _pod.RunDetachedAsync("create", "--bundle", bundle.Write(), id)).Result.Ok();

        JsonObject state = await StateAsync(id);

        Assert.Equal(id, (string?)state["id"]);
        Assert.Equal(bundle.Directory, (string?)state["bundle"]);
        Assert.Equal(_pod.RootFs, (string?)state["rootfs"]);
        Assert.Equal("root", (string?)state["owner"]);
        Assert.Equal("value", (string?)state["annotations"]!["org.example.key"]);
        Assert.StartsWith("1.", (string?)state["ociVersion"], StringComparison.Ordinal);
        TimeSpan age = DateTimeOffset.UtcNow - DateTimeOffset.Parse((string)state["created"]!, CultureInfo.InvariantCulture);
        Assert.InRange(age, TimeSpan.Zero, RuntimeFixture.Limit);
    }

    [Fact]
    public async Task Create_PidFile_HoldsALivingProcessThatEndsWithTheContainer()
    {
        string id = _pod.NewId();
        string file = Path.Combine(_pod.NewDirectory("pid"), "pid");
        (await _pod.RunDetachedAsync(
            "create", "--pid-file", file, "--bundle", _pod.NewPodBundle().Args("sleep", "1000").Write(), id)).Result.Ok();
        int pid = int.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);

        Assert.Equal(pid, Pid(await StateAsync(id)));
        Assert.True(Directory.Exists($"/proc/{pid}"));
        (await _pod.RunAsync("delete", "--force", id)).Ok();
        await EndedAsync(pid);
    }

    [Fact]
    public async Task Start_ProgramOfCreated_RunsOnlyThen()
    {
        string id = _pod.NewId();
        string marker = $"tmp/{id}";
        (await _pod.RunDetachedAsync(
            "create", "--bundle", _pod.NewPodBundle().Shell($"touch /{marker}; exec sleep 1000").Write(), id)).Result.Ok();
        Assert.False(File.Exists(Path.Combine(_pod.RootFs, marker)));

        (await _pod.RunAsync("start", id)).Ok();

        (await _pod.ExecShellAsync(id, $"until test -e /{marker}; do sleep 0.1; done")).Ok();
    }

    [Fact]
    public async Task Start_Twice_IsRefusedWithTheState()
    {
        string id = await RunSleeperAsync();

        CommandResult result = await _pod.RunAsync("start", id);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"'{id}'", result.Error, StringComparison.Ordinal);
        Assert.Contains("running", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_IdIsTaken_IsRefusedAndTheFirstGoesOn()
    {
        string id = await RunSleeperAsync();

        CommandResult result = await _pod.RunAsync("create", "--bundle", _pod.NewPodBundle().Args("true").Write(), id);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("exists already", result.Error, StringComparison.Ordinal);
        (await _pod.ExecAsync(id, "true")).Ok();
    }

    [Fact]
    public async Task Create_CommandDoesNotExist_IsRefusedAndTheIdIsFreeAgain()
    {
        string id = _pod.NewId();
        CommandResult first = await _pod.RunAsync("run", "--bundle", _pod.NewPodBundle().Args("nope").Write(), id);
        Assert.Equal(127, first.ExitCode);

        (await _pod.RunAsync("run", "--bundle", _pod.NewPodBundle().Args("true").Write(), id)).Ok();
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("SIGTERM")]
    [InlineData("15")]
    public async Task Kill_NameOrNumber_ReachesTheProgram(string signal)
    {
        string id = _pod.NewId();
        using RunningCommand run = await RunTrapAsync(id);

        (await _pod.RunAsync("kill", id, signal)).Ok();

        Assert.Equal(42, await run.ExitAsync(RuntimeFixture.Limit));
    }

    [Fact]
    public async Task Kill_NoSignal_SendsSigterm()
    {
        string id = _pod.NewId();
        using RunningCommand run = await RunTrapAsync(id);

        (await _pod.RunAsync("kill", id)).Ok();

        Assert.Equal(42, await run.ExitAsync(RuntimeFixture.Limit));
    }

    [Fact]
    public async Task Kill_UnknownSignal_IsRefusedWithItsName()
    {
        CommandResult result = await _pod.RunAsync("kill", _pod.PodId, "SIGNOPE");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("SIGNOPE", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_Running_IsRefusedWithTheRemedy()
    {
        CommandResult result = await _pod.RunAsync("delete", _pod.PodId);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("is running", result.Error, StringComparison.Ordinal);
        Assert.Contains("--force", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_ForceAndRunning_EndsItAndItsProcess()
    {
        string id = await RunSleeperAsync();
        int pid = Pid(await StateAsync(id));

        (await _pod.RunAsync("delete", "--force", id)).Ok();

        await EndedAsync(pid);
        Assert.Equal(1, (await _pod.RunAsync("state", id)).ExitCode);
    }

    [Fact]
    public async Task Delete_Twice_SecondSaysThatItDoesNotExistAndForceIsSilent()
    {
        string id = await CreateSleeperAsync();
        (await _pod.RunAsync("delete", "--force", id)).Ok();

        CommandResult second = await _pod.RunAsync("delete", id);

        Assert.Equal(1, second.ExitCode);
        Assert.Contains("does not exist", second.Error, StringComparison.Ordinal);
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Delete_StandInWasKilled_ProgramIsGoneToo()
    {
        string id = await RunSleeperAsync();
        int pid = Pid(await StateAsync(id));

        HostProcess.Signal(pid, Kata.Linux.Signals.SIGKILL);

        // The pod's processes are seen from the first container only with a shared namespace: the state says it.
        CommandResult deleted = await WaitForAsync(() => _pod.RunAsync("delete", id), static result => result.ExitCode == 0);
        Assert.Equal(0, deleted.ExitCode);
    }

    [Fact]
    public async Task List_Table_HasRuncsColumnsAndTheContainer()
    {
        string[] lines = (await _pod.RunAsync("list")).Ok().Lines;

        Assert.Equal(["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(lines, line =>
            line.StartsWith(_pod.PodId + " ", StringComparison.Ordinal) && line.Contains("running", StringComparison.Ordinal));
    }

    [Fact]
    public async Task List_Json_HasTheContainer()
    {
        JsonArray all = JsonNode.Parse((await _pod.RunAsync("list", "--format", "json")).Ok().Text)!.AsArray();

        JsonNode found = Assert.Single(all, item => (string?)item!["id"] == _pod.PodId)!;
        Assert.Equal("running", (string?)found["status"]);
    }

    [Fact]
    public async Task List_Quiet_PrintsIdsOnly() =>
        Assert.Contains(_pod.PodId, (await _pod.RunAsync("list", "-q")).Ok().Lines);

    [Fact]
    public async Task Run_DetachedWithOutputToFile_AllOfItArrives()
    {
        string id = _pod.NewId();
        (CommandResult result, string path) = await _pod.RunDetachedAsync(
            "run", "--detach", "--bundle", _pod.NewPodBundle().Shell("seq 1 50000; echo end >&2").Write(), id);
        result.Ok();

        await StoppedAsync(id);

        Assert.Equal(50000, (await File.ReadAllLinesAsync($"{path}.out", TestContext.Current.CancellationToken)).Length);
        Assert.EndsWith(
            "end\n", await File.ReadAllTextAsync($"{path}.err", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_DetachedWithOutputToPipe_AllOfItArrivesAndThePipeEnds()
    {
        using RunningCommand run = _pod.Start(
            "run", "--detach", "--bundle", _pod.NewPodBundle().Shell("seq 1 50000").Write(), _pod.NewId());

        CommandResult result = (await run.FinishAsync(default, RuntimeFixture.Limit)).Ok();

        Assert.Equal(50000, result.Lines.Length);
    }

    private static int Pid(JsonObject state) => (int)state["pid"]!;

    private static async Task EndedAsync(int pid)
    {
        using var limit = new CancellationTokenSource(RuntimeFixture.Limit);
        Assert.True(pid == 0 || await HostProcess.EndedAsync(pid, limit.Token), $"the process {pid} still runs");
    }

    // Asks again while the answer is another one: commands of the runtime are the only view a caller has.
    private static async Task<CommandResult> WaitForAsync(Func<Task<CommandResult>> ask, Func<CommandResult, bool> until)
    {
        long start = TimeProvider.System.GetTimestamp();
        CommandResult result = await ask();
        while (!until(result) && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30))
        {
            result = await ask();
        }

        return result;
    }

    private async Task<RunningCommand> RunTrapAsync(string id)
    {
        const string Script = "trap 'exit 42' TERM; echo up; while :; do sleep 1 & wait $!; done";
        RunningCommand run = _pod.Start("run", "--bundle", _pod.NewPodBundle().Shell(Script).Write(), id);
        await run.Output.ReadExactlyAsync(new byte[3], TestContext.Current.CancellationToken).AsTask().WaitAsync(RuntimeFixture.Limit);
        return run;
    }

    private async Task StoppedAsync(string id)
    {
        JsonObject state = await StateAsync(id);
        await EndedAsync(Pid(state));
        Assert.Equal("stopped", (string?)(await StateAsync(id))["status"]);
    }

    private async Task<JsonObject> StateAsync(string id) => JsonNode.Parse((await _pod.RunAsync("state", id)).Ok().Text)!.AsObject();

    private async Task<string> CreateSleeperAsync()
    {
        string id = _pod.NewId();
        (await _pod.RunDetachedAsync("create", "--bundle", _pod.NewPodBundle().Args("sleep", "1000").Write(), id)).Result.Ok();
        return id;
    }

    private async Task<string> RunSleeperAsync()
    {
        string id = await CreateSleeperAsync();
        (await _pod.RunAsync("start", id)).Ok();
        return id;
    }
}
