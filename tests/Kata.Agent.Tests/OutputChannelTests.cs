using Kata.Agent.Stdio;
using Kata.Linux;

namespace Kata.Agent.Tests;

public sealed class OutputChannelTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A terminal shows its reader 4 KiB at a time; the rest of what the process wrote is on its way.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4000)]
    [InlineData(7000)]
    public async Task ProcessEnded_TerminalHasOutput_IsDrainedWhenAllOfItIsDelivered(int length)
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        using (peer)
        using (var channel = new OutputChannel(new DescriptorStream(controller), isTerminal: true))
        {
            byte[] text = new byte[length];
            Array.Fill(text, (byte)'x');
            Assert.Equal(length, DescriptorWriter.Write(peer, text, "write to the terminal"));

            channel.ProcessEnded();
            Assert.False(channel.Drained.IsCompleted);
            Assert.Equal(length, await ReadUntilDrainedAsync(channel));
        }
    }

    /// <summary>A read of the kernel's gives 4 KiB at most.</summary>
    [Fact]
    public async Task ReadAsync_TerminalHasMuch_GivesItTogether()
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        using (peer)
        using (var channel = new OutputChannel(new DescriptorStream(controller), isTerminal: true))
        {
            byte[] text = new byte[7000];
            Array.Fill(text, (byte)'x');
            Assert.Equal(text.Length, DescriptorWriter.Write(peer, text, "write to the terminal"));
            byte[] buffer = new byte[16 * 1024];
            Assert.Equal(100, await channel.ReadAsync(buffer.AsMemory(0, 100), Cancellation).AsTask().WaitAsync(s_limit, Cancellation));
            Assert.Equal(text.Length - 100, await channel.ReadAsync(buffer, Cancellation).AsTask().WaitAsync(s_limit, Cancellation));
        }
    }

    [Fact]
    public void ProcessEnded_TerminalIsEmpty_IsDrainedAtOnce()
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        using (peer)
        using (var channel = new OutputChannel(new DescriptorStream(controller), isTerminal: true))
        {
            channel.ProcessEnded();

            Assert.True(channel.Drained.IsCompleted);
        }
    }

    /// <summary>A descendant writes for ever: the exit is not held back.</summary>
    [Fact]
    public async Task ProcessEnded_TerminalGoesOn_IsDrainedAllTheSame()
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        using var channel = new OutputChannel(new DescriptorStream(controller), isTerminal: true);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await using var writer = new DescriptorStream(peer);
        await writer.WriteAsync("first"u8.ToArray(), Cancellation);
        Task writing = WriteForEverAsync(writer, stop.Token);

        channel.ProcessEnded();
        await ReadUntilDrainedAsync(channel);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(s_limit, Cancellation));
    }

    [Fact]
    public async Task ProcessEnded_PipeHasOutput_IsDrainedWhenThatMuchIsDelivered()
    {
        (SafeFileDescriptor readEnd, SafeFileDescriptor writeEnd) = Pipe.Create();
        using (writeEnd)
        using (var channel = new OutputChannel(new DescriptorStream(readEnd), isTerminal: false))
        {
            DescriptorWriter.Write(writeEnd, new byte[50_000], "write to the pipe");

            channel.ProcessEnded();
            Assert.False(channel.Drained.IsCompleted);
            Assert.Equal(50_000, await ReadUntilDrainedAsync(channel));
        }
    }

    private static async Task<int> ReadUntilDrainedAsync(OutputChannel channel)
    {
        byte[] buffer = new byte[1000];
        int total = 0;
        while (true)
        {
            var read = channel.ReadAsync(buffer, Cancellation).AsTask();
            await Task.WhenAny(read, channel.Drained).WaitAsync(s_limit, Cancellation);
            if (!read.IsCompleted)
            {
                return total;
            }

            total += await read;
            channel.Delivered(await read);
            if (channel.Drained.IsCompleted)
            {
                return total;
            }
        }
    }

    private static async Task WriteForEverAsync(DescriptorStream writer, CancellationToken cancellationToken)
    {
        byte[] text = new byte[500];
        while (true)
        {
            await writer.WriteAsync(text, cancellationToken);
        }
    }
}
