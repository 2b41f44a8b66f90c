using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Sandbox;
using Kata.Testing;

namespace Kata.Service.Tests;

public sealed class HostStdioTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Open_Pipes_CarryBytesAndLeaveTheCallersFlagsAlone()
    {
        (SafeFileDescriptor inputRead, SafeFileDescriptor inputWrite) = Pipe.Create();
        (SafeFileDescriptor outputRead, SafeFileDescriptor outputWrite) = Pipe.Create();
        await using var writer = new DescriptorStream(inputWrite);
        await using var reader = new DescriptorStream(outputRead);
        using SafeFileDescriptor callersInput = inputRead.Duplicate();
        using SafeFileDescriptor callersOutput = outputWrite.Duplicate();
        await using (ProcessStdio stdio = HostStdio.Open(false, [inputRead, outputWrite, Null()]))
        {
            await writer.WriteAsync("in"u8.ToArray());
            byte[] buffer = new byte[10];
            Assert.Equal(2, await stdio.Input!.ReadAsync(buffer).AsTask().Within());
            await stdio.Output!.WriteAsync("out"u8.ToArray()).AsTask().Within();
            Assert.Equal(3, await reader.ReadAsync(buffer).AsTask().Within());
            Assert.Null(stdio.Error);
        }

        Assert.Equal(0, LibC.fcntl_int(callersInput, LibC.F_GETFL, 0) & LibC.O_NONBLOCK);
        Assert.Equal(0, LibC.fcntl_int(callersOutput, LibC.F_GETFL, 0) & LibC.O_NONBLOCK);
    }

    [Fact]
    public async Task Open_RegularFile_SharesTheCallersOffset()
    {
        string path = _directory.File("out");
        using SafeFileDescriptor callers = OpenFile(path, LibC.O_WRONLY | LibC.O_CREAT);
        DescriptorWriter.Write(callers, "before "u8, "test");
        await using ProcessStdio stdio = HostStdio.Open(false, [Null(), callers.Duplicate(), callers.Duplicate()]);
        await stdio.Output!.WriteAsync("output "u8.ToArray());
        await stdio.Error!.WriteAsync("error "u8.ToArray());
        DescriptorWriter.Write(callers, "after"u8, "test");
        Assert.Equal("before output error after", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task Open_AppendedFile_KeepsWhatOthersWrote()
    {
        string path = _directory.File("log");
        await File.WriteAllTextAsync(path, "old ");
        await using ProcessStdio stdio = HostStdio.Open(false, [Null(), OpenFile(path, LibC.O_WRONLY | LibC.O_APPEND), Null()]);
        await stdio.Output!.WriteAsync("one "u8.ToArray());
        await File.AppendAllTextAsync(path, "other ");
        await stdio.Output.WriteAsync("two"u8.ToArray());
        Assert.Equal("old one other two", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task Open_RegularFileAsInput_IsReadToItsEnd()
    {
        string path = _directory.File("in");
        await File.WriteAllTextAsync(path, "text");
        await using ProcessStdio stdio = HostStdio.Open(false, [OpenFile(path, LibC.O_RDONLY), Null(), Null()]);
        using var all = new MemoryStream();
        await stdio.Input!.CopyToAsync(all);
        Assert.Equal("text"u8.ToArray(), all.ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Open_Sockets_CarryBytesAndLeaveTheCallersFlagsAlone(bool nonBlocking)
    {
        (SafeFileDescriptor ours, SafeFileDescriptor callers) = UnixSocket.Pair(nonBlocking);
        await using var peer = new DescriptorStream(ours);
        using SafeFileDescriptor second = callers.Duplicate();
        await using ProcessStdio stdio = HostStdio.Open(false, [callers, second.Duplicate(), Null()]);
        await stdio.Output!.WriteAsync("x"u8.ToArray()).AsTask().Within();
        Assert.Equal(1, await peer.ReadAsync(new byte[4]).AsTask().Within());
        await peer.WriteAsync("yz"u8.ToArray());
        Assert.Equal(2, await stdio.Input!.ReadAsync(new byte[4]).AsTask().Within());

        ValueTask<int> waiting = stdio.Input!.ReadAsync(new byte[4]); // nothing is there: it must not hold the thread
        byte[] large = new byte[1_000_000]; // more than a socket holds
        Task writing = stdio.Output!.WriteAsync(large).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.False(writing.IsCompleted);
        Assert.Equal(nonBlocking, (LibC.fcntl_int(second, LibC.F_GETFL, 0) & LibC.O_NONBLOCK) != 0);
        await peer.ReadExactlyAsync(large).AsTask().Within();
        await writing.Within();
        await peer.DisposeAsync();
        Assert.Equal(0, await waiting.AsTask().Within());
    }

    [Fact]
    public async Task Open_NullDevice_IsNoStream()
    {
        await using ProcessStdio stdio = HostStdio.Open(false, [Null(), Null(), Null()]);
        Assert.Null(stdio.Input);
        Assert.Null(stdio.Output);
        Assert.Null(stdio.Error);
    }

    [Fact]
    public async Task Open_Terminal_IsInputAndOutput()
    {
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        Terminal.MakeRaw(peer);
        await using var master = new DescriptorStream(controller);
        await using ProcessStdio stdio = HostStdio.Open(true, [peer]);
        Assert.Null(stdio.Error);
        await stdio.Output!.WriteAsync("out"u8.ToArray()).AsTask().Within();
        Assert.Equal(3, await master.ReadAsync(new byte[10]).AsTask().Within());
        await master.WriteAsync("in"u8.ToArray());
        Assert.Equal(2, await stdio.Input!.ReadAsync(new byte[10]).AsTask().Within());
    }

    [Fact]
    public async Task Open_TerminalAndOtherOutput_GoesThere()
    {
        string path = _directory.File("out");
        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Terminal.Open();
        Terminal.MakeRaw(peer);
        await using var master = new DescriptorStream(controller);
        await using ProcessStdio stdio = HostStdio.Open(true, [peer, OpenFile(path, LibC.O_WRONLY | LibC.O_CREAT)]);
        await stdio.Output!.WriteAsync("out"u8.ToArray()).AsTask().Within();
        await master.WriteAsync("in"u8.ToArray());
        Assert.Equal(2, await stdio.Input!.ReadAsync(new byte[10]).AsTask().Within());
        Assert.Equal("out", await File.ReadAllTextAsync(path));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    [InlineData(false, 4)]
    [InlineData(true, 0)]
    [InlineData(true, 3)]
    public void Open_WrongCount_IsRefused(bool terminal, int count)
    {
        SafeFileDescriptor[] descriptors = [.. Enumerable.Range(0, count).Select(static _ => Null())];
        Assert.Throws<InvalidDataException>(() => HostStdio.Open(terminal, descriptors));
        Array.ForEach(descriptors, static descriptor => descriptor.Dispose());
    }

    [Fact]
    public async Task Open_LastCannotBeOpened_TheEarlierAreClosed()
    {
        (SafeFileDescriptor inputRead, SafeFileDescriptor inputWrite) = Pipe.Create();
        (SafeFileDescriptor outputRead, SafeFileDescriptor outputWrite) = Pipe.Create();
        using (inputWrite)
        await using (var reader = new DescriptorStream(outputRead))
        {
            // A directory cannot be opened for writing.
            Assert.Throws<LinuxException>(() => HostStdio.Open(false, [inputRead, outputWrite, OpenFile("/", LibC.O_RDONLY)]));
            Assert.Equal(0, await reader.ReadAsync(new byte[1]).AsTask().Within()); // no writer is left
            Assert.Throws<LinuxException>(() => DescriptorWriter.Write(inputWrite, "x"u8, "test")); // nor a reader: EPIPE
        }
    }

    private static SafeFileDescriptor Null() => OpenFile("/dev/null", LibC.O_RDWR);

    private static SafeFileDescriptor OpenFile(string path, int flags) =>
        LinuxException.ThrowIfInvalid(LibC.open(path, flags | LibC.O_CLOEXEC, 0x180), "open", $"open '{path}'");
}
