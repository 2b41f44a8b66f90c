using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>A caller whose streams, mask or environment are odd: what it gets, and what is left as it was.</summary>
[Collection(ContainersGroup.Name)]
public sealed class CallerTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public CallerTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Theory]
    [InlineData("<&-", "out")]
    [InlineData(">&-", "")]
    [InlineData("2>&-", "out")]
    [InlineData("<&- >&- 2>&-", "")]
    public async Task Run_StreamsClosed_AreAsNullDevices(string redirections, string expected)
    {
        string bundle = _pod.NewPodBundle().Shell("cat; echo out; echo err >&2; exit 7").Write();

        CommandResult result = await ShellAsync($"\"$0\" \"$@\" {redirections}", "run", "--bundle", bundle, _pod.NewId());

        Assert.Equal((7, expected), (result.ExitCode, result.Text));
    }

    [Fact]
    public async Task RunDetached_StreamsClosed_Succeeds()
    {
        string id = _pod.NewId();
        (await ShellAsync(
            "\"$0\" \"$@\" <&- >&- 2>&-", "run", "--detach", "--bundle", _pod.NewPodBundle().Args("sleep", "1000").Write(), id)).Ok();

        Assert.Equal("in", (await ShellAsync("\"$0\" \"$@\" <&-", "exec", id, "echo", "in")).Ok().Text);
    }

    [Fact]
    public async Task Run_ProcessOfAnotherUser_OpensItsStreamsByName()
    {
        CommandResult result = (await _pod.RunShellAsync(
            "echo out > /dev/stdout; echo err > /dev/stderr", static bundle => bundle.Process["user"]!["uid"] = 1000)).Ok();

        Assert.Equal(("out", "err\n"), (result.Text, result.Error));
    }

    [Fact]
    public async Task RunDetached_ProgramClosesItsOutputs_TheCallersPipeEnds()
    {
        string bundle = _pod.NewPodBundle().Shell("echo up; exec sleep 1000 >/dev/null 2>&1").Write();

        // The pipe's end is what the shell waits for, and the container lives on.
        Assert.Equal("up", (await ShellAsync(
            "x=$(\"$0\" \"$@\" 2>&1 </dev/null); echo \"$x\"", "run", "--detach", "--bundle", bundle, _pod.NewId())).Ok().Text);
    }

    [Fact]
    public async Task RunDetached_ProgramClosesItsOutputOnly_ThatEndsAlone()
    {
        string id = _pod.NewId();
        string error = Path.Combine(_pod.NewDirectory("error"), "error");
        string bundle = _pod.NewPodBundle()
            .Shell("exec >/dev/null; while test ! -e /go; do sleep 0.1; done; echo late >&2; exec sleep 1000").Write();
        Assert.Equal("", (await ShellAsync(
            $"x=$(\"$0\" \"$@\" 2>{error} </dev/null); echo \"$x\"", "run", "--detach", "--bundle", bundle, id)).Ok().Text);

        (await _pod.ExecShellAsync(
            id, "touch /go; while kill -0 1 && test \"$(cat /proc/1/comm)\" != sleep; do sleep 0.1; done; rm /go")).Ok();
        Assert.Equal("late\n", await File.ReadAllTextAsync(error, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("077")]
    [InlineData("0777")]
    public async Task Run_UmaskOfTheCaller_KeepsNothingFromRunning(string umask)
    {
        TestBundle bundle = _pod.NewBundle().Shell("echo up");

        Assert.Equal(
            "up", (await ShellAsync($"umask {umask}; exec \"$0\" \"$@\"", "run", "--bundle", bundle.Write(), _pod.NewId())).Ok().Text);
    }

    [Fact]
    public async Task Create_Refused_SaysWhyOnce()
    {
        string bundle = _pod.NewPodBundle().Args("/no/such/program").Write();

        CommandResult result = await ShellAsync("\"$0\" \"$@\" </dev/null 2>&1 | cat", "run", "--detach", "--bundle", bundle, _pod.NewId());

        Assert.Contains("/no/such/program", Assert.Single(result.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_PidFileInNoDirectory_SaysSoInOurWords()
    {
        CommandResult result = await _pod.RunAsync("exec", "--pid-file", "/no/such/pid", _pod.PodId, "true");

        Assert.Equal(
            (255, "kata-runtime: Cannot write the pid file '/no/such/pid': No such file or directory (ENOENT). "
                + "Give --pid-file a path in a directory that exists and can be written\n"),
            (result.ExitCode, result.Error));
    }

    private async Task<CommandResult> ShellAsync(string script, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(
            "/bin/sh", ["-c", script, RuntimeFixture.RuntimePath!, .. _pod.Globals(arguments)]);
        return await command.FinishAsync(default, RuntimeFixture.Limit);
    }
}
