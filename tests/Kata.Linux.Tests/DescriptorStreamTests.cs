using CsCheck;

namespace Kata.Linux.Tests;

public sealed class DescriptorStreamTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pipe_MoreThanItHolds_ArrivesIntactUnderBackPressure()
    {
        (SafeFileDescriptor readEnd, SafeFileDescriptor writeEnd) = Pipe.Create();
        await using var reader = new DescriptorStream(readEnd);
        var writer = new DescriptorStream(writeEnd);
        byte[] sent = new byte[3_000_000];
        new Random(7).NextBytes(sent);

        Task writing = WriteAndCloseAsync(writer, sent);
        Assert.False(writing.IsCompleted); // a pipe holds 64 KiB
        using var received = new MemoryStream();
        await reader.CopyToAsync(received, Cancellation).WaitAsync(s_limit, Cancellation);
        await writing.WaitAsync(s_limit, Cancellation);

        Assert.Equal(sent, received.ToArray());
    }

    [Fact]
    public void Dispose_TwiceAtOnce_NeverFails()
    {
        for (int i = 0; i < 3000; i++)
        {
            (SafeFileDescriptor readEnd, SafeFileDescriptor writeEnd) = Pipe.Create();
            writeEnd.Dispose();
            var stream = new DescriptorStream(readEnd);
            Parallel.Invoke(stream.Dispose, stream.Dispose);
        }
    }

    [Fact]
    public async Task Read_Cancelled_ThrowsAndTheStreamStillWorks()
    {
        (SafeFileDescriptor readEnd, SafeFileDescriptor writeEnd) = Pipe.Create();
        await using var reader = new DescriptorStream(readEnd);
        await using var writer = new DescriptorStream(writeEnd);
        using var source = new CancellationTokenSource();

        ValueTask<int> read = reader.ReadAsync(new byte[4], source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.AsTask().WaitAsync(s_limit, Cancellation));

        await writer.WriteAsync(new byte[] { 1, 2 }, Cancellation);
        byte[] buffer = new byte[4];
        Assert.Equal(2, await reader.ReadAsync(buffer, Cancellation).AsTask().WaitAsync(s_limit, Cancellation));
    }

    [Fact]
    public async Task Dispose_WhileReading_EndsTheReader()
    {
        (SafeFileDescriptor readEnd, SafeFileDescriptor writeEnd) = Pipe.Create();
        using SafeFileDescriptor keepOpen = writeEnd;
        var reader = new DescriptorStream(readEnd);

        Task<int> read = reader.ReadAsync(new byte[4], Cancellation).AsTask();
        await reader.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => read.WaitAsync(s_limit, Cancellation));
        Assert.True(readEnd.IsClosed);
    }

    [Fact]
    public async Task Read_SecondReader_IsRefused()
    {
        (SafeFileDescriptor readEnd, SafeFileDescriptor writeEnd) = Pipe.Create();
        using SafeFileDescriptor keepOpen = writeEnd;
        await using var reader = new DescriptorStream(readEnd);

        Task<int> first = reader.ReadAsync(new byte[4], Cancellation).AsTask();

        await Assert.ThrowsAsync<InvalidOperationException>(() => reader.ReadAsync(new byte[4], Cancellation).AsTask());
        Assert.False(first.IsCompleted);
    }

    [Fact]
    public async Task SocketPair_BothDirectionsAtOnce_DoNotDisturbEachOther()
    {
        (SafeFileDescriptor first, SafeFileDescriptor second) = UnixSocket.Pair();
        await using var left = new DescriptorStream(first);
        await using var right = new DescriptorStream(second);
        byte[] data = new byte[1_000_000];

        Task[] work =
        [
            left.WriteAsync(data, Cancellation).AsTask(), right.WriteAsync(data, Cancellation).AsTask(),
            left.ReadExactlyAsync(new byte[data.Length], Cancellation).AsTask(),
            right.ReadExactlyAsync(new byte[data.Length], Cancellation).AsTask(),
        ];

        await Task.WhenAll(work).WaitAsync(s_limit, Cancellation);
    }

    [Fact]
    public async Task Passing_BytesAndDescriptors_ArriveTogether() => await Gen.Int[1, DescriptorPassing.MaxDescriptors].SampleAsync(
        async count =>
        {
            (SafeFileDescriptor first, SafeFileDescriptor second) = UnixSocket.Pair();
            using (first)
            using (second)
            {
                (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
                var received = new List<SafeFileDescriptor>();
                Assert.Equal(3, DescriptorPassing.Send(first, "abc"u8, [.. Enumerable.Repeat(read, count)]));
                byte[] buffer = new byte[10];
                Assert.Equal(3, DescriptorPassing.Receive(second, buffer, received));
                Assert.Equal(count, received.Count);
                Assert.All(received, item => Assert.Equal(FileStatus.Of(read).Inode, FileStatus.Of(item).Inode));
                Assert.Equal(-1, DescriptorPassing.Receive(second, buffer, received));
                received.ForEach(static item => item.Dispose());
                read.Dispose();
                write.Dispose();
            }

            await Task.CompletedTask;
        },
        iter: 20);

    [Fact]
    public void Passing_PeerClosed_IsTheEnd()
    {
        (SafeFileDescriptor first, SafeFileDescriptor second) = UnixSocket.Pair();
        first.Dispose();
        using (second)
        {
            Assert.Equal(0, DescriptorPassing.Receive(second, new byte[4], []));
        }
    }

    private static async Task WriteAndCloseAsync(DescriptorStream stream, byte[] data)
    {
        await stream.WriteAsync(data, Cancellation);
        await stream.DisposeAsync();
    }
}
