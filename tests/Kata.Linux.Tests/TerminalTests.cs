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
