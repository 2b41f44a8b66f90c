using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary><c>pause</c> and <c>resume</c>, and what the other verbs do meanwhile.</summary>
[Collection(ContainersGroup.Name)]
public sealed class PauseTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public PauseTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task Pause_RunningContainer_StandsStillUntilResumed()
    {
        string marker = _pod.NewId();
        // A longer file each time, whole at any moment.
        string id = await StartAsync($"while :; do echo >> /tmp/{marker}; sleep 0.05; done");
        (await _pod.ExecShellAsync(_pod.PodId, $"until [ -s /tmp/{marker} ]; do sleep 0.05; done")).Ok();

        (await _pod.RunAsync("pause", id)).Ok();

        Assert.Contains("\"status\": \"paused\"", (await _pod.RunAsync("state", id)).Ok().Text, StringComparison.Ordinal);
        Assert.Contains(
            "paused",
            (await _pod.RunAsync("list")).Ok().Lines.Single(line => line.StartsWith($"{id} ", StringComparison.Ordinal)),
            StringComparison.Ordinal);
        // What this container sees of the other's file may be a second old: it looked while the other was still writing.
        string[] counts =
            (await _pod.ExecShellAsync(_pod.PodId, $"sleep 1.5; wc -c < /tmp/{marker}; sleep 1; wc -c < /tmp/{marker}")).Ok().Lines;
        Assert.Equal(counts[0], counts[1]);

        (await _pod.RunAsync("resume", id)).Ok();

        Assert.Contains("\"status\": \"running\"", (await _pod.RunAsync("state", id)).Ok().Text, StringComparison.Ordinal);
        (await _pod.ExecShellAsync(
            _pod.PodId, $"n=$(wc -c < /tmp/{marker}); while [ \"$(wc -c < /tmp/{marker})\" = \"$n\" ]; do sleep 0.05; done")).Ok();
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Pause_CreatedContainer_IsCreatedAgainAfterResume()
    {
        string id = _pod.NewId();
        (await _pod.RunDetachedAsync("create", "--bundle", _pod.NewPodBundle().Args("sleep", "1000").Write(), id)).Result.Ok();

        (await _pod.RunAsync("pause", id)).Ok();
        CommandResult start = await _pod.RunAsync("start", id);
        (await _pod.RunAsync("resume", id)).Ok();

        Assert.Equal(1, start.ExitCode);
        Assert.Contains("\"status\": \"created\"", (await _pod.RunAsync("state", id)).Ok().Text, StringComparison.Ordinal);
        (await _pod.RunAsync("start", id)).Ok();
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Exec_PausedContainer_IsRefusedWithRuncsWords()
    {
        string id = await StartPausedAsync();

        CommandResult exec = await _pod.ExecAsync(id, "true");

        Assert.Equal(255, exec.ExitCode);
        Assert.Contains("cannot exec in a paused container (use --ignore-paused to override)", exec.Error, StringComparison.Ordinal);
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Exec_IgnorePaused_RunsWhenResumed()
    {
        string id = await StartPausedAsync();
        using RunningCommand exec = _pod.Start("exec", "--ignore-paused", id, "echo", "late");
        Task<CommandResult> finished = exec.FinishAsync(default, RuntimeFixture.Limit);
        (await _pod.ExecAsync(_pod.PodId, "sleep", "1")).Ok(); // long enough for an exec that does not wait
        Assert.False(exec.HasExited);

        (await _pod.RunAsync("resume", id)).Ok();

        Assert.Equal("late", (await finished).Ok().Text);
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Kill_PausedContainer_EndsIt()
    {
        string id = await StartPausedAsync();

        (await _pod.RunAsync("kill", id, "KILL")).Ok();

        await WaitStoppedAsync(id);
        (await _pod.RunAsync("delete", id)).Ok();
    }

    [Fact]
    public async Task Kill_PausedContainerWithTerm_TakesEffectOnResume()
    {
        string marker = _pod.NewId();
        string id = await StartAsync($"trap 'exit 0' TERM; echo up > /tmp/{marker}; while :; do sleep 1 & wait $!; done");
        (await _pod.ExecShellAsync(_pod.PodId, $"until [ -s /tmp/{marker} ]; do sleep 0.05; done")).Ok();
        (await _pod.RunAsync("pause", id)).Ok();

        (await _pod.RunAsync("kill", id)).Ok();
        (await _pod.ExecAsync(_pod.PodId, "sleep", "1")).Ok();
        Assert.Contains("\"status\": \"paused\"", (await _pod.RunAsync("state", id)).Ok().Text, StringComparison.Ordinal);
        (await _pod.RunAsync("resume", id)).Ok();

        await WaitStoppedAsync(id);
        (await _pod.RunAsync("delete", id)).Ok();
    }

    [Fact]
    public async Task Delete_PausedContainer_OnlyWithForce()
    {
        string id = await StartPausedAsync();

        Assert.Equal(1, (await _pod.RunAsync("delete", id)).ExitCode);
        (await _pod.RunAsync("delete", "--force", id)).Ok();

        Assert.Equal(1, (await _pod.RunAsync("state", id)).ExitCode);
    }

    [Fact]
    public async Task PauseAndResume_WrongMoment_SaySoInRuncsWords()
    {
        string id = await StartPausedAsync();
        Assert.Contains("It must be created or running", (await RefusedAsync("pause", id)).Error, StringComparison.Ordinal);
        (await _pod.RunAsync("resume", id)).Ok();
        Assert.Contains("container not paused", (await RefusedAsync("resume", id)).Error, StringComparison.Ordinal);
        (await _pod.RunAsync("kill", id, "KILL")).Ok();
        await WaitStoppedAsync(id);
        Assert.Contains("container not running", (await RefusedAsync("pause", id)).Error, StringComparison.Ordinal);
        Assert.Contains("container not paused", (await RefusedAsync("resume", id)).Error, StringComparison.Ordinal);
        Assert.Contains("container not running", (await RefusedAsync("kill", id)).Error, StringComparison.Ordinal);
        Assert.Contains("container not running", (await RefusedAsync("update", "--pids-limit", "5", id)).Error, StringComparison.Ordinal);
        Assert.Contains("container not running", (await RefusedAsync("events", "--stats", id)).Error, StringComparison.Ordinal);
        Assert.Contains("cannot exec in a stopped container", (await _pod.ExecAsync(id, "true")).Error, StringComparison.Ordinal);
        Assert.Equal("[]", (await _pod.RunAsync("ps", "--format", "json", id)).Ok().Text);
        (await _pod.RunAsync("kill", "--all", id)).Ok();
        (await _pod.RunAsync("delete", id)).Ok();
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("ps")]
    [InlineData("update")]
    [InlineData("events")]
    public async Task AnyVerb_IdUnknown_SaysSo(string verb) =>
        Assert.Contains("does not exist", (await RefusedAsync(verb, "nobody")).Error, StringComparison.Ordinal);

    private async Task<CommandResult> RefusedAsync(params string[] arguments)
    {
        CommandResult result = await _pod.RunAsync(arguments);
        Assert.Equal(1, result.ExitCode);
        return result;
    }

    private async Task<string> StartPausedAsync()
    {
        string id = await StartAsync("while :; do sleep 1; done");
        (await _pod.RunAsync("pause", id)).Ok();
        return id;
    }

    private async Task<string> StartAsync(string script)
    {
        string id = _pod.NewId();
        (await _pod.RunDetachedAsync("run", "--detach", "--bundle", _pod.NewPodBundle().Shell(script).Write(), id)).Result.Ok();
        return id;
    }

    private async Task WaitStoppedAsync(string id)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!(await _pod.RunAsync("state", id)).Ok().Text.Contains("\"status\": \"stopped\"", StringComparison.Ordinal))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30), "the container did not end");
        }
    }
}
