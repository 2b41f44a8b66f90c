using System.Globalization;
using System.Security.Cryptography;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.Clients;

/// <summary>What goes in and out: terminals and logs.</summary>
public abstract partial class EngineTests
{
    // An engine sets the first size when the program runs already, which may be after the trap is set.
    private const string TerminalScript =
        "trap '[ \"$(stty size)\" = \"24 80\" ] || { stty size; exit 9; }' WINCH; echo up; while :; do sleep 1 & wait $!; done";

    [Fact]
    public async Task Run_Interactive_ProgramHasATerminalThatFollowsTheCallers()
    {
        (ChildProcess command, Pseudoterminal terminal) = StartOnTerminal(
            "run", "--rm", "--interactive", "--tty", "--network", "none", EngineFixture.Image, "sh", "-c", TerminalScript);
        await using (terminal)
        {
            await ExpectSizesAsync(terminal);
            Assert.Equal(new ExitStatus(9, null), await EndAsync(command));
        }
    }

    [Fact]
    public async Task ExecAndAttach_Interactive_EachHasItsTerminal()
    {
        string name = await _engine.StartContainerAsync(["--interactive", "--tty"], "sh");

        (ChildProcess exec, Pseudoterminal terminal) = StartOnTerminal("exec", "--interactive", "--tty", name, "sh", "-c", TerminalScript);
        await using (terminal)
        {
            await ExpectSizesAsync(terminal);
            Assert.Equal(new ExitStatus(9, null), await EndAsync(exec));
        }

        (ChildProcess attach, terminal) = StartOnTerminal("attach", name);
        await using (terminal)
        {
            await terminal.TypeAsync("echo $((40 + 2)); tty\n");
            await terminal.ExpectAsync("42");
            await terminal.ExpectAsync("/dev/pts/0");
            await terminal.TypeAsync("exit 4\n");
            await EndAsync(attach); // docker's ends with the container's status, podman's does not
        }

        Assert.Equal("4", (await _engine.EngineAsync("wait", name)).Ok().Text);
        (await _engine.RemoveAsync(name)).Ok();
    }

    [Fact]
    public async Task Logs_OfElevenMegabytes_AreCompleteAtTheExit()
    {
        const int Size = 11 * 1024 * 1024;
        string folder = _engine.NewDirectory("log");
        byte[] data = Lines(Size);
        await File.WriteAllBytesAsync(Path.Combine(folder, "data"), data, TestContext.Current.CancellationToken);
        string name = await _engine.StartContainerAsync(["--volume", $"{folder}:/v:ro"], "sh", "-c", "cat /v/data; exit 6");

        Assert.Equal("6", (await _engine.EngineAsync("wait", name)).Ok().Text);
        CommandResult logs = await _engine.EngineAsync("logs", name);
        (await _engine.RemoveAsync(name)).Ok();

        Assert.Equal(Size, logs.Ok().Output.Length);
        Assert.Equal(SHA256.HashData(data), SHA256.HashData(logs.Output));
    }

    // Numbered lines: a lost, doubled or moved piece shows.
    private static byte[] Lines(int size)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        for (int i = 0; text.GetStringBuilder().Length < size; i++)
        {
            text.Write(
                string.Create(CultureInfo.InvariantCulture, $"{i:D9} the quick brown fox jumps over the lazy dog and goes on its way\n"));
        }

        byte[] data = RuntimeFixture.Bytes(text.ToString())[..size];
        data[^1] = (byte)'\n';
        return data;
    }

    // A change of the size before the trap is set would be lost.
    private static async Task ExpectSizesAsync(Pseudoterminal terminal)
    {
        await terminal.ExpectAsync("up");
        terminal.Resize(50, 132);
        await terminal.ExpectAsync("50 132");
    }

    private static Task<ExitStatus> EndAsync(ChildProcess command) =>
        command.Exited.WaitAsync(RuntimeFixture.Limit, TestContext.Current.CancellationToken);

    /// <summary>A command of the engine in a session of its own, whose terminal we hold.</summary>
    private (ChildProcess Command, Pseudoterminal Terminal) StartOnTerminal(params string[] arguments)
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        Terminal.SetSize(controller, new TerminalSize(24, 80));
        (string program, string[] all) = _engine.CommandLine(arguments);
        using (peer)
        {
            ChildProcess command = ChildProcess.Start(new SpawnOptions
            {
                Path = "/usr/bin/setsid",
                Arguments = ["setsid", "--ctty", "--wait", program, .. all],
                Environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
                Descriptors = new Dictionary<int, SafeFileDescriptor> { [0] = peer, [1] = peer, [2] = peer },
            });
            return (command, new Pseudoterminal(controller));
        }
    }
}
