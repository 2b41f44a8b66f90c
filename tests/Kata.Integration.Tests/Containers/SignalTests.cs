using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Containers;

/// <summary>Signals to the commands that stand for a program in the guest.</summary>
[Collection(ContainersGroup.Name)]
public sealed class SignalTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public SignalTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Theory]
    [InlineData(Signals.SIGTERM, "TERM")]
    [InlineData(Signals.SIGINT, "INT")]
    [InlineData(Signals.SIGHUP, "HUP")]
    [InlineData(Signals.SIGUSR1, "USR1")]
    public async Task Run_SignalToTheCommand_ReachesTheProgram(int signal, string name)
    {
        using RunningCommand run = await StartAsync("run", "--bundle", _pod.NewPodBundle().Shell(Trap(name)).Write(), _pod.NewId());

        HostProcess.Signal(run.Pid, signal);

        Assert.Equal(42, await run.ExitAsync(RuntimeFixture.Limit));
    }

    [Fact]
    public async Task Exec_SignalToTheCommand_ReachesTheProgram()
    {
        using RunningCommand exec = await StartAsync("exec", _pod.PodId, "sh", "-c", Trap("TERM"));

        HostProcess.Signal(exec.Pid, Signals.SIGTERM);

        Assert.Equal(42, await exec.ExitAsync(RuntimeFixture.Limit));
    }

    [Fact]
    public async Task Run_CommandIsKilled_ContainerEnds()
    {
        string id = _pod.NewId();
        using RunningCommand run = await StartAsync("run", "--bundle", _pod.NewPodBundle().Shell(Trap("TERM")).Write(), id);

        HostProcess.Signal(run.Pid, Signals.SIGKILL);
        await run.ExitAsync(RuntimeFixture.Limit);

        long start = TimeProvider.System.GetTimestamp();
        while ((await _pod.RunAsync("delete", id)).ExitCode != 0) // not without --force while it runs
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30),
                "the container outlived the command that stood for it");
        }
    }

    [Fact]
    public async Task Exec_CommandIsKilled_ProgramEnds()
    {
        string marker = $"tmp/{_pod.NewId()}";
        using RunningCommand exec = await StartAsync("exec", _pod.PodId, "sh", "-c", $"echo $$ > /{marker}; {Trap("TERM")}");

        HostProcess.Signal(exec.Pid, Signals.SIGKILL);

        (await _pod.ExecShellAsync(_pod.PodId, $"while kill -0 $(cat /{marker}) 2>/dev/null; do sleep 0.1; done")).Ok();
    }

    private static string Trap(string signal) => $"trap 'exit 42' {signal}; echo up; while :; do sleep 1 & wait $!; done";

    private async Task<RunningCommand> StartAsync(params string[] arguments)
    {
        RunningCommand command = _pod.Start(arguments);
        await command.Output.ReadExactlyAsync(new byte[3], TestContext.Current.CancellationToken).AsTask().WaitAsync(RuntimeFixture.Limit);
        return command;
    }
}
