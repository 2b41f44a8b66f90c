namespace Kata.Linux.Tests;

public sealed class DatagramTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("kata-linux-test").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(DatagramReceiver.Limit)]
    [InlineData(DatagramReceiver.Limit + 1)]
    [InlineData(60_000)]
    public async Task Receive_Datagrams_OneByOneAndCutAtTheLimit(int length)
    {
        using var receiver = new DatagramReceiver(Path.Combine(_root, "s"), 0x1ff);
        Task<byte[]> first = receiver.ReceiveAsync(TestContext.Current.CancellationToken);
        Send(receiver.Path, new byte[length]);
        Send(receiver.Path, [7]);
        Assert.Equal(Math.Min(length, DatagramReceiver.Limit), (await first).Length);
        Assert.Equal([7], await receiver.ReceiveAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Receive_DescriptorsComeAlong_AreClosed()
    {
        using var receiver = new DatagramReceiver(Path.Combine(_root, "s"), 0x1ff);
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        await using var pipe = new DescriptorStream(read);
        using (write)
        using (SafeFileDescriptor socket = UnixSocket.ConnectDatagram(receiver.Path))
        {
            DescriptorPassing.Send(socket, "BARRIER=1"u8, [write]);
        }

        Assert.Equal("BARRIER=1"u8.ToArray(), await receiver.ReceiveAsync(TestContext.Current.CancellationToken));
        Assert.Equal(0, await pipe.ReadAsync(new byte[1], TestContext.Current.CancellationToken)); // nobody has the other end any more
    }

    [Fact]
    public async Task Connect_LongPathOrAbstractName_Works()
    {
        string directory = Path.Combine(_root, new string('d', 100), new string('e', 100));
        Directory.CreateDirectory(directory);
        using var receiver = new DatagramReceiver(Path.Combine(directory, "s"), 0x180);
        Send(receiver.Path, [1]);
        Assert.Equal([1], await receiver.ReceiveAsync(TestContext.Current.CancellationToken));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(receiver.Path));
        Assert.Equal(
            Errno.ECONNREFUSED,
            Assert.Throws<LinuxException>(() => UnixSocket.ConnectDatagram($"@kata-nobody-{Environment.ProcessId}")).Errno);
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => UnixSocket.ConnectDatagram(Path.Combine(_root, "none"))).Errno);
    }

    [Fact]
    public async Task Dispose_WaiterAndNoDirectory_EndsTheWaiter()
    {
        string directory = Path.Combine(_root, "gone");
        Directory.CreateDirectory(directory);
        var receiver = new DatagramReceiver(Path.Combine(directory, "s"), 0x1ff);
        Task<byte[]> waiting = receiver.ReceiveAsync(TestContext.Current.CancellationToken);
        Directory.Delete(directory, recursive: true);
        receiver.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
    }

    private static void Send(string path, byte[] data)
    {
        using SafeFileDescriptor socket = UnixSocket.ConnectDatagram(path);
        Assert.Equal(data.Length, DescriptorPassing.Send(socket, data, []));
    }
}
