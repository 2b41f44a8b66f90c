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
        LinuxException error = Assert.Throws<LinuxException>(() => ConsoleSetup.Open(terminal: true, path));
        Assert.Equal(
            $"Cannot hand the terminal over to the console socket '{path}': {cause}. Start the program that listens there first, or correct --console-socket",
            error.Message);
    }
}
