using Kata.Linux;
using Kata.Runtime.Hosting;
using Kata.Testing;

namespace Kata.Runtime.Tests;

public sealed class ConsoleSetupTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("none.sock", "connect: No such file or directory (ENOENT)")]
    [InlineData("none/none.sock", "open: No such file or directory (ENOENT)")]
    [InlineData("deaf.sock", "connect: Connection refused (ECONNREFUSED)")]
    public void Open_NobodyListensOnTheConsoleSocket_SaysWhatToDo(string name, string cause)
    {
        UnixSocket.Listen(_directory.File("deaf.sock")).Dispose(); // the file stays
        string path = _directory.File(name);
        LinuxException error = Assert.Throws<LinuxException>(() => ConsoleSetup.Open(new ConsoleRequest(true, path), foreground: false));
        Assert.Equal(
            $"Cannot hand the terminal over to the console socket '{path}': {cause}. "
            + "Start the program that listens there first, or correct --console-socket",
            error.Message);
    }

    [Theory]
    [InlineData("none", "open: No such file or directory (ENOENT). Give --console the path of a terminal that exists")]
    [InlineData("file", "it is none. Give --console the path of a terminal")]
    public void Open_NamedTerminalIsNone_SaysWhatToDo(string name, string end)
    {
        File.WriteAllText(_directory.File("file"), "");
        Exception error =
            Assert.ThrowsAny<Exception>(() => ConsoleSetup.Open(new ConsoleRequest(true, Path: _directory.File(name)), foreground: false));
        Assert.Contains($"Cannot use the terminal '{_directory.File(name)}': {end}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Open_NamedTerminal_IsRawUntilTheForegroundEnds(bool foreground)
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        using (controller)
        using (peer)
        {
            Terminal.SetSize(peer, new TerminalSize(30, 90));
            string path = new FileInfo($"/proc/self/fd/{peer.DangerousGetHandle()}").LinkTarget!;
            using (ConsoleSetup console = ConsoleSetup.Open(new ConsoleRequest(true, Path: path), foreground))
            {
                Assert.Equal(new TerminalSize(30, 90), Terminal.GetSize(console.Terminal!));
                Assert.False(Echoes(peer));
            }

            Assert.Equal(foreground, Echoes(peer)); // detached, the stand-in goes on using it
        }
    }

    private static bool Echoes(SafeFileDescriptor terminal)
    {
        Kata.Linux.Interop.Termios modes = Terminal.MakeRaw(terminal); // the modes before
        Terminal.Restore(terminal, modes);
        return (modes.c_lflag & 0x8) != 0; // ECHO
    }
}
