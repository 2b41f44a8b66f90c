using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Containers;

/// <summary>Terminals: this command's own, and one handed over through a console socket.</summary>
[Collection(ContainersGroup.Name)]
public sealed class TerminalTests : IClassFixture<PodFixture>
{
    private readonly PodFixture _pod;

    public TerminalTests(PodFixture pod)
    {
        RuntimeFixture.Require();
        _pod = pod;
    }

    [Fact]
    public async Task Run_WithTerminal_ProgramHasOneOfTheCallersSize()
    {
        (ChildProcess command, Pseudoterminal terminal) = StartOnTerminal("run", "--bundle", TerminalBundle("sh"), _pod.NewId());
        await using (terminal)
        {
            await terminal.TypeAsync("tty; stty size; echo end-$?\n");
            await terminal.ExpectAsync("/dev/");
            await terminal.ExpectAsync("24 80");
            await terminal.ExpectAsync("end-0");
            await terminal.TypeAsync("exit 9\n");

            Assert.Equal(
                new ExitStatus(9, null), await command.Exited.WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Run_TerminalIsResized_ProgramGetsTheSignalAndTheSize()
    {
        const string Script = "trap 'stty size; exit 9' WINCH; echo up; while :; do sleep 1 & wait $!; done";
        (ChildProcess command, Pseudoterminal terminal) = StartOnTerminal(
            "run", "--bundle", TerminalBundle("sh", "-c", Script), _pod.NewId());
        await using (terminal)
        {
            await terminal.ExpectAsync("up");
            terminal.Resize(50, 132);
            await terminal.ExpectAsync("50 132");

            Assert.Equal(
                new ExitStatus(9, null), await command.Exited.WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Run_ControlC_EndsTheForegroundProgram()
    {
        (ChildProcess command, Pseudoterminal terminal) = StartOnTerminal("run", "--bundle", TerminalBundle("sh"), _pod.NewId());
        await using (terminal)
        {
            await terminal.TypeAsync("sh -c 'echo up; exec sleep 1000'\n");
            await terminal.ExpectAsync("\nup");
            await terminal.TypeAsync("\u0003");
            await terminal.TypeAsync("echo status-$?\n");
            await terminal.ExpectAsync("status-130");
            await terminal.TypeAsync("exit\n");

            Assert.Equal(
                new ExitStatus(0, null), await command.Exited.WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Exec_WithTerminal_ProgramHasOne()
    {
        (ChildProcess command, Pseudoterminal terminal) = StartOnTerminal(
            "exec", "--tty", _pod.PodId, "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size");
        await using (terminal)
        {
            await terminal.ExpectAsync("24 80");
            Assert.Equal(
                new ExitStatus(0, null), await command.Exited.WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Error_AtATerminal_IsItsTextAlone()
    {
        (ChildProcess command, Pseudoterminal terminal) = StartOnTerminal("state", "no-such-container");
        await using (terminal)
        {
            Assert.Equal(
                "kata-runtime: Cannot query the container 'no-such-container': it does not exist. See 'kata-runtime list'\r\n",
                await terminal.ReadToEndAsync());
            Assert.Equal(
                new ExitStatus(1, null), await command.Exited.WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("</dev/null", "")] // the terminal is found at standard output
    [InlineData(">{file}", "output")]
    [InlineData("</dev/null >{file} 2>&1", "output")] // found by /dev/tty
    public async Task Exec_StreamsOfATerminalRedirected_OutputGoesToStandardOutput(string redirections, string expected)
    {
        string file = Path.Combine(_pod.NewDirectory("redirected"), "out");
        string script = $"\"$0\" \"$@\" {redirections.Replace("{file}", file, StringComparison.Ordinal)}; echo status-$?";
        string[] exec = _pod.Globals("exec", "--tty", _pod.PodId, "sh", "-c", "stty size; test -t 0 && echo output; exit 4");
        (ChildProcess command, Pseudoterminal terminal) = StartOnTerminal(
            "/bin/sh", ["-c", script, RuntimeFixture.RuntimePath!, .. exec]);
        await using (terminal)
        {
            string shown = await terminal.ReadToEndAsync();
            Assert.EndsWith("status-4\r\n", shown, StringComparison.Ordinal);
            Assert.Equal(expected.Length == 0, shown.Contains("output", StringComparison.Ordinal));
            string text = expected.Length == 0 ? shown : await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            Assert.Contains("24 80", text, StringComparison.Ordinal);
            Assert.Contains("output", text, StringComparison.Ordinal);
            await command.Exited.WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("run")]
    [InlineData("exec")]
    public async Task Foreground_OutputInAFile_HasTheProgramsOwnNewlines(string verb)
    {
        string file = Path.Combine(_pod.NewDirectory("newlines"), "out");
        (ChildProcess command, Pseudoterminal terminal) = StartOnTerminal(
            "/bin/sh", ["-c", $"\"$0\" \"$@\" >{file}; echo status-$?", RuntimeFixture.RuntimePath!, .. _pod.Globals(Newlines(verb))]);
        await using (terminal)
        {
            Assert.EndsWith("status-0\r\n", await terminal.ReadToEndAsync(), StringComparison.Ordinal);
            Assert.Equal("a\nb\r\nc", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            await command.Exited.WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("run")]
    [InlineData("exec")]
    public async Task Foreground_OutputOnTheTerminal_BeginsEachLineAtItsLeft(string verb)
    {
        (ChildProcess command, Pseudoterminal terminal) = StartOnTerminal(Newlines(verb));
        await using (terminal)
        {
            Assert.Equal("a\r\nb\r\r\nc", await terminal.ReadToEndAsync());
            Assert.Equal(
                new ExitStatus(0, null), await command.Exited.WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Exec_ConsoleSocket_TerminalIsAsTheKernelMakesIt()
    {
        using var socket = new ConsoleSocket(Path.Combine(_pod.NewDirectory("console"), "socket"));
        Task<CommandResult> exec = _pod.RunAsync(
            "exec", "--tty", "--detach", "--console-socket", socket.Path, _pod.PodId, "printf", "a\\nb|");
        await using Pseudoterminal terminal = await socket.ReceiveAsync();
        (await exec).Ok();
        await terminal.ExpectAsync("a\r\nb|");
    }

    private string[] Newlines(string verb) => verb == "run"
        ? ["run", "--bundle", TerminalBundle("printf", "a\\nb\\r\\nc"), _pod.NewId()]
        : ["exec", "--tty", _pod.PodId, "printf", "a\\nb\\r\\nc"];

    [Fact]
    public async Task Run_NoTerminalAnywhere_IsRefusedWithTheRemedy()
    {
        using RunningCommand command = RunningCommand.Start(
            "/usr/bin/setsid",
            ["--wait", RuntimeFixture.RuntimePath!, .. _pod.Globals("run", "--bundle", TerminalBundle("true"), _pod.NewId())]);
        CommandResult result = await command.FinishAsync(default, RuntimeFixture.Limit);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Set process.terminal to false, or run from a terminal", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_ConsoleSocket_GetsATerminalThatWorksAndResizes()
    {
        using var socket = new ConsoleSocket(Path.Combine(_pod.NewDirectory("console"), "socket"));
        string id = _pod.NewId();
        Task<CommandResult> create = _pod.RunAsync("create", "--console-socket", socket.Path, "--bundle", TerminalBundle("sh"), id);
        await using Pseudoterminal terminal = await socket.ReceiveAsync();
        (await create).Ok();
        (await _pod.RunAsync("start", id)).Ok();

        terminal.Resize(33, 99);
        await terminal.TypeAsync("test -t 0 && echo is-$?\n");
        await terminal.ExpectAsync("\nis-0");
        await terminal.TypeAsync("until test \"$(stty size)\" = '33 99'; do :; done; echo resized-$?\n");
        await terminal.ExpectAsync("resized-0");
        await terminal.TypeAsync("exit\n");
        await _pod.RunAsync("delete", "--force", id);
    }

    [Fact]
    public async Task Create_NamedTerminal_IsTheContainersAndResizes()
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        await using var terminal = new Pseudoterminal(controller);
        string id = _pod.NewId();
        using (peer)
        {
            string path = new FileInfo($"/proc/self/fd/{peer.DangerousGetHandle()}").LinkTarget!;
            (await _pod.RunAsync("create", "--console", path, "--bundle", TerminalBundle("sh"), id)).Ok();
        }

        (await _pod.RunAsync("start", id)).Ok();
        terminal.Resize(33, 99);
        await terminal.TypeAsync("until test \"$(stty size)\" = '33 99'; do :; done; echo resized-$?\n");
        await terminal.ExpectAsync("resized-0");
        await terminal.TypeAsync("exit\n");
        await _pod.RunAsync("delete", "--force", id);
    }

    [Fact]
    public async Task Exec_NamedTerminal_IsTheProgramsForAsLongAsItRuns()
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        await using var terminal = new Pseudoterminal(controller);
        using (peer)
        {
            Terminal.SetSize(peer, new TerminalSize(21, 77));
            string path = new FileInfo($"/proc/self/fd/{peer.DangerousGetHandle()}").LinkTarget!;
            Task<CommandResult> exec = _pod.RunAsync("exec", "--tty", "--console", path, _pod.PodId, "sh", "-c", "stty size; exit 5");
            await terminal.ExpectAsync("21 77");
            Assert.Equal(5, (await exec).ExitCode);
        }
    }

    [Fact]
    public async Task Exec_ConsoleSocket_GetsATerminalThatWorks()
    {
        using var socket = new ConsoleSocket(Path.Combine(_pod.NewDirectory("console"), "socket"));
        Task<CommandResult> exec = _pod.RunAsync("exec", "--tty", "--detach", "--console-socket", socket.Path, _pod.PodId, "sh");
        await using Pseudoterminal terminal = await socket.ReceiveAsync();
        (await exec).Ok();

        await terminal.TypeAsync("echo sum-$((40 + 2))\n");
        await terminal.ExpectAsync("\nsum-42");
        await terminal.TypeAsync("exit\n");
    }

    [Fact]
    public async Task Create_TerminalWithoutConsoleSocket_IsRefusedWithTheRemedy()
    {
        CommandResult result = await _pod.RunAsync("create", "--bundle", TerminalBundle("sh"), _pod.NewId());

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Give the option, or run in the foreground", result.Error, StringComparison.Ordinal);
    }

    private string TerminalBundle(params string[] arguments) =>
        _pod.NewPodBundle().Args(arguments).Edit(static bundle => bundle.Process["terminal"] = true).Write();

    // setsid makes the pseudoterminal the command's controlling terminal, as a shell's is: only so do resizes become signals.
    private (ChildProcess Command, Pseudoterminal Terminal) StartOnTerminal(params string[] arguments) =>
        StartOnTerminal(RuntimeFixture.RuntimePath!, _pod.Globals(arguments));

    private static (ChildProcess Command, Pseudoterminal Terminal) StartOnTerminal(string program, string[] arguments)
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        Terminal.SetSize(controller, new TerminalSize(24, 80));
        using (peer)
        {
            ChildProcess command = ChildProcess.Start(new SpawnOptions
            {
                Path = "/usr/bin/setsid",
                Arguments = ["setsid", "--ctty", "--wait", program, .. arguments],
                Environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
                Descriptors = new Dictionary<int, SafeFileDescriptor> { [0] = peer, [1] = peer, [2] = peer },
            });
            return (command, new Pseudoterminal(controller));
        }
    }
}
