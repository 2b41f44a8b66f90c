using System.Text;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Containers;

/// <summary>A container says that it is ready by systemd's own program, and whoever started it hears that: sd_notify(3).</summary>
[Collection(ContainersGroup.Name)]
public sealed class NotificationTests : IClassFixture<PodFixture>
{
    private const string Program = "/usr/bin/systemd-notify";

    private readonly PodFixture _pod;

    public NotificationTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        Assert.SkipUnless(File.Exists(Program), $"needs '{Program}' (Debian: apt-get install systemd)");
        _pod = pod;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_CallerHasASocket_ReturnsWhenReadyWithThePid(bool run)
    {
        string id = _pod.NewId();
        using DatagramReceiver caller = NewReceiver();
        // The program waits for the receipt of its message: what a container's barrier is for.
        string bundle = NewBundle($"{Program} --status=early; sleep 1; {Program} --ready && touch /mnt/received; sleep 100000").Write();
        if (!run)
        {
            await CommandAsync(caller.Path, "create", "--bundle", bundle, id);
        }

        Task command = run ? CommandAsync(caller.Path, "run", "--detach", "--bundle", bundle, id) : CommandAsync(caller.Path, "start", id);

        Assert.Equal("READY=1\n", await ReceiveAsync(caller));
        JsonNode state = JsonNode.Parse((await _pod.RunAsync("state", id)).Ok().Text)!;
        Assert.Equal($"MAINPID={state["pid"]}\n", await ReceiveAsync(caller));
        Assert.Equal("BARRIER=1", await ReceiveAsync(caller));
        await command;
        (await _pod.ExecShellAsync(id, "while ! test -e /mnt/received; do sleep 1; done")).Ok();
        (await _pod.RunAsync("delete", "--force", id)).Ok();
    }

    [Fact]
    public async Task Run_InTheForeground_TellsAndEndsWithTheStatus()
    {
        using DatagramReceiver caller = NewReceiver();
        string bundle = NewBundle($"{Program} --ready; exit 7").Write();
        using RunningCommand command = RunningCommand.Start(
            "/usr/bin/env",
            [$"NOTIFY_SOCKET={caller.Path}", RuntimeFixture.RuntimePath!, .. _pod.Globals("run", "--bundle", bundle, _pod.NewId())]);

        Assert.Equal("READY=1\n", await ReceiveAsync(caller));
        Assert.StartsWith("MAINPID=", await ReceiveAsync(caller), StringComparison.Ordinal);
        Assert.Equal("BARRIER=1", await ReceiveAsync(caller));
        Assert.Equal(7, (await command.FinishAsync(default, RuntimeFixture.Limit)).ExitCode);
    }

    [Fact]
    public async Task Run_EndsWithoutBeingReady_ReturnsAndTellsNothing()
    {
        using DatagramReceiver caller = NewReceiver();
        string id = _pod.NewId();

        await CommandAsync(caller.Path, "run", "--detach", "--bundle", NewBundle($"{Program} --status=only; exit 0").Write(), id);

        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller.ReceiveAsync(limit.Token));
    }

    [Fact]
    public async Task Mount_WithAnEnginesSocket_GetsWhatTheContainerSays()
    {
        // conmon's way, for podman run --sdnotify=container.
        string directory = _pod.NewDirectory(new string('n', 120));
        using var engine = new DatagramReceiver(Path.Combine(directory, "notify.sock"), 0x1ff);
        CommandResult result = await _pod.RunContainerAsync(NewBundle($"{Program} --ready --status=up")
            .Mount("/run/notify", "bind", directory, "bind", "rprivate")
            .Edit(static bundle => bundle.Process["env"] = TestBundle.Array("PATH=/bin", "NOTIFY_SOCKET=/run/notify/notify.sock")));

        result.Ok();
        Assert.Equal("READY=1\nSTATUS=up", await ReceiveAsync(engine));
    }

    // systemd's program and its libraries are the host's.
    private TestBundle NewBundle(string script)
    {
        TestBundle bundle = _pod.NewPodBundle().Shell(script).Mount("/mnt", "tmpfs", "tmpfs");
        foreach (string directory in new[] { "/usr", "/lib", "/lib64" })
        {
            bundle.Mount(directory, "bind", directory, "rbind", "ro");
        }

        return bundle;
    }

    private DatagramReceiver NewReceiver() => new(Path.Combine(_pod.NewDirectory("caller"), "s"), 0x1ff);

    private static async Task<string> ReceiveAsync(DatagramReceiver receiver) =>
        Encoding.UTF8.GetString(await receiver.ReceiveAsync(TestContext.Current.CancellationToken).WaitAsync(RuntimeFixture.Limit));

    private async Task CommandAsync(string socket, params string[] arguments)
    {
        const string Script = "exec \"$@\" </dev/null >/dev/null 2>&1"; // a detached container's streams outlive the command
        using RunningCommand command = RunningCommand.Start(
            "/bin/sh",
            ["-c", Script, "sh", "/usr/bin/env", $"NOTIFY_SOCKET={socket}", RuntimeFixture.RuntimePath!, .. _pod.Globals(arguments)]);
        (await command.FinishAsync(default, RuntimeFixture.Limit)).Ok();
    }
}
