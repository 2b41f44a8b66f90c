using System.Text;

namespace Kata.Linux.Tests;

public sealed class TerminalTests
{
    [Fact]
    public async Task MakeRaw_Terminal_PassesEveryByteUnchanged()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        (SafeFileDescriptor controller, SafeFileDescriptor terminal) = Terminal.Open();
        using SafeFileDescriptor side = terminal;
        await using var stream = new DescriptorStream(controller);
        Interop.Termios before = Terminal.MakeRaw(terminal);
        await using var inner = new DescriptorStream(terminal.Duplicate());
        byte[] all = [3, 4, 13, 10, 26, 28, 127, 255];

        await inner.WriteAsync(all, cancellation);
        byte[] buffer = new byte[all.Length];
        await stream.ReadExactlyAsync(buffer, cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(10), cancellation);

        Assert.Equal(all, buffer);
        Terminal.Restore(terminal, before);
        await inner.WriteAsync(Encoding.ASCII.GetBytes("\n"), cancellation);
        await stream.ReadExactlyAsync(buffer.AsMemory(0, 2), cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(10), cancellation);
        Assert.Equal("\r\n", Encoding.ASCII.GetString(buffer, 0, 2)); // cooked again
    }

    [Theory]
    [InlineData(false, "\n")]
    [InlineData(true, "\r\n")] // as runc has its caller's terminal: the container's own writes newlines alone
    public async Task MakeRaw_WhatIsWritten_IsTreatedWhereItIsAskedFor(bool processOutput, string expected)
    {
        (SafeFileDescriptor controller, SafeFileDescriptor terminal) = Terminal.Open();
        Terminal.MakeRaw(terminal, processOutput);
        Assert.Equal(expected, await WriteNewlineAsync(controller, terminal));
    }

    [Fact]
    public async Task LeaveNewlines_ByTheControllingSide_WritesThemAlone()
    {
        (SafeFileDescriptor controller, SafeFileDescriptor terminal) = Terminal.Open();
        Terminal.LeaveNewlines(controller);
        Assert.Equal("\n", await WriteNewlineAsync(controller, terminal));
    }

    // Owns both.
    private static async Task<string> WriteNewlineAsync(SafeFileDescriptor controller, SafeFileDescriptor terminal)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await using var outside = new DescriptorStream(controller);
        await using var inside = new DescriptorStream(terminal);
        await inside.WriteAsync("\n|"u8.ToArray(), cancellation);
        byte[] buffer = new byte[16];
        int count = 0;
        while (!buffer.AsSpan(0, count).Contains((byte)'|'))
        {
            Task<int> read = outside.ReadAsync(buffer.AsMemory(count), cancellation).AsTask();
            count += await read.WaitAsync(TimeSpan.FromSeconds(10), cancellation);
        }

        return Encoding.ASCII.GetString(buffer, 0, count - 1);
    }

    [Fact]
    public void SetSize_Terminal_IsReadBack()
    {
        (SafeFileDescriptor controller, SafeFileDescriptor terminal) = Terminal.Open();
        using (controller)
        using (terminal)
        {
            Terminal.SetSize(controller, new TerminalSize(24, 80));
            Assert.Equal(new TerminalSize(24, 80), Terminal.GetSize(terminal));
            Assert.True(Terminal.IsTerminal(terminal));
        }
    }

    [Fact]
    public void GetSize_Pipe_IsNull()
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        using (read)
        using (write)
        {
            Assert.Null(Terminal.GetSize(read));
            Assert.False(Terminal.IsTerminal(read));
        }
    }
}
