using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;
using Microsoft.Extensions.Time.Testing;

namespace Kata.Hypervisor.Qemu.Tests;

public sealed class ConsoleLogTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kata-test-");

    private string FilePath => Path.Combine(_directory.FullName, "console.log");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Append_Flood_KeepsFileAndCallbackInBounds()
    {
        var time = new FakeTimeProvider();
        var lines = new List<string>();
        using (var log = new ConsoleLog(FilePath, new ConsoleLogOptions { FileLimitBytes = 10_000, LinesPerSecond = 10 }, time))
        {
            log.LineReceived += lines.Add;
            for (int i = 0; i < 5000; i++)
            {
                log.Append(Encoding.ASCII.GetBytes($"line {i}\n"));
            }

            Assert.Equal(10, lines.Count);
            Assert.Equal(4990, log.SuppressedLines);
            time.Advance(TimeSpan.FromSeconds(1));
            log.Append("again\n"u8);
            Assert.Equal("again", lines[^1]);
        }

        long size = _directory.GetFiles().Sum(static file => file.Length);
        Assert.InRange(size, 5000, 10_000);
        Assert.EndsWith("again\n", File.ReadAllText(FilePath));
        using SafeFileDescriptor file = LibC.open(FilePath, LibC.O_RDONLY | LibC.O_CLOEXEC, 0);
        Assert.Equal(0x180u /* 0600 */, FileStatus.Of(file).Mode & 0xfff);
    }

    [Fact]
    public void TailForError_TerminalSequences_AreEscaped()
    {
        using var log = new ConsoleLog(path: null);
        log.Append("\x1b]0;evil\a\nsecond\nunfinished"u8);
        log.Complete();

        Assert.Equal(". Last console lines: second | unfinished", log.TailForError(2));
        Assert.DoesNotContain('\x1b', log.TailForError());
    }

    [Fact]
    public void TailForError_Nothing_SaysSo()
    {
        using var log = new ConsoleLog(path: null);

        Assert.Equal(", and the guest wrote nothing on its console", log.TailForError());
        Assert.True(log.IsEmpty);
    }

    [Fact]
    public void Append_FileCannotBeMade_StillKeepsTheTail()
    {
        using var log = new ConsoleLog(Path.Combine(_directory.FullName, "missing/console.log"));
        log.Append("x\n"u8);

        Assert.Equal(["x"], log.Tail(5));
    }
}
