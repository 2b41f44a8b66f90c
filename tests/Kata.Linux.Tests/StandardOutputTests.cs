using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux.Tests;

public sealed class StandardOutputTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Write_NonBlockingPipeIsFull_WaitsForItsReader()
    {
        (SafeFileDescriptor readEnd, SafeFileDescriptor writeEnd) = Pipe.Create();
        await using var reader = new DescriptorStream(readEnd);
        await using var other = new DescriptorStream(writeEnd); // makes the pipe non-blocking for all
        byte[] sent = new byte[1_000_000];
        new Random(7).NextBytes(sent);

        var writing = Task.Run(() => new StandardOutput(writeEnd.Number).Write(sent), Cancellation);
        byte[] received = new byte[sent.Length];
        await reader.ReadExactlyAsync(received, Cancellation).AsTask().WaitAsync(s_limit, Cancellation);
        await writing.WaitAsync(s_limit, Cancellation);

        Assert.Equal(sent, received);
    }

    [Fact]
    public void Write_ReaderIsGone_IsDropped()
    {
        (SafeFileDescriptor readEnd, SafeFileDescriptor writeEnd) = Pipe.Create();
        using (writeEnd)
        {
            readEnd.Dispose();

            new StandardOutput(writeEnd.Number).Write("text"u8);
        }
    }

    [Fact]
    public void Write_NoSpace_SaysSo()
    {
        using SafeFileDescriptor full = LinuxException.ThrowIfInvalid(
            LibC.open("/dev/full", LibC.O_WRONLY | LibC.O_CLOEXEC, 0), "open", "open /dev/full");

        LinuxException error = Assert.Throws<LinuxException>(() => new StandardOutput(full.Number).Write("text"u8));

        Assert.Equal(Errno.ENOSPC, error.Errno);
    }

    [Fact]
    public void Write_FileOfTwo_KeepsWhatTheOtherWrote()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using SafeFileDescriptor file = LinuxException.ThrowIfInvalid(
                LibC.open(path, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_CLOEXEC, 0x180), "open", "make a file");
            using SafeFileDescriptor second = file.Duplicate();
            var one = new StandardOutput(file.Number);
            one.Write("a"u8);
            new StandardOutput(second.Number).Write("b"u8);
            one.Write("c"u8);

            Assert.Equal("abc", File.ReadAllText(path, Encoding.UTF8));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
