using System.Text;
using Kata.Linux;
using Kata.Testing;

namespace Kata.Service.Tests;

public sealed class LineConnectionTests : IAsyncDisposable
{
    private readonly DescriptorStream _peer;
    private readonly LineConnection _connection;

    public LineConnectionTests()
    {
        (SafeFileDescriptor first, SafeFileDescriptor second) = UnixSocket.Pair();
        _peer = new DescriptorStream(first);
        _connection = new LineConnection(new DescriptorStream(second));
    }

    public async ValueTask DisposeAsync()
    {
        await _peer.DisposeAsync();
        await _connection.DisposeAsync();
    }

    [Fact]
    public async Task ReadLineAsync_LinesInOneRead_ComeOneByOne()
    {
        await SendAsync("one\n\ntwo words\n");
        Assert.Equal("one", await ReadAsync());
        Assert.Equal("", await ReadAsync());
        Assert.Equal("two words", await ReadAsync());
    }

    [Fact]
    public async Task ReadLineAsync_LineInManyReads_IsWhole()
    {
        Task<string?> line = ReadAsync();
        foreach (byte part in "hällo\n"u8.ToArray())
        {
            Assert.False(line.IsCompleted);
            await _peer.WriteAsync(new byte[] { part });
        }

        Assert.Equal("hällo", await line);
    }

    [Fact]
    public async Task ReadLineAsync_LongestLine_IsRead()
    {
        await SendAsync(new string('x', 4095) + "\nnext\n");
        Assert.Equal(4095, (await ReadAsync())?.Length);
        Assert.Equal("next", await ReadAsync());
    }

    [Fact]
    public async Task ReadLineAsync_EndlessLine_Throws()
    {
        await SendAsync(new string('x', 5000));
        await Assert.ThrowsAsync<InvalidDataException>(ReadAsync);
    }

    [Theory]
    [InlineData("")]
    [InlineData("half a line")]
    public async Task ReadLineAsync_PeerHasGone_IsNull(string before)
    {
        await SendAsync(before);
        await _peer.DisposeAsync();
        Assert.Null(await ReadAsync());
    }

    [Fact]
    public async Task ReadLineAsync_DescriptorsNobodyAskedFor_AreNotKept()
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        await using var end = new DescriptorStream(read);
        using (write)
        {
            DescriptorPassing.Send(_peer.Descriptor, "line\n"u8, [write]);
        }

        Assert.Equal("line", await ReadAsync());
        Assert.Equal(0, await end.ReadAsync(new byte[1]).AsTask().Within()); // no copy of the writing end is left
    }

    [Fact]
    public async Task WriteLineAsync_ManyAtOnce_LinesStayWhole()
    {
        Task writing = Task.WhenAll(Enumerable.Range(0, 50).Select(
            i => _connection.WriteLineAsync(new string((char)('a' + (i % 26)), 100), CancellationToken.None)));
        await using var reader = new LineConnection(_peer);
        for (int i = 0; i < 50; i++)
        {
            string? line = await reader.ReadLineAsync(null, CancellationToken.None).Within();
            Assert.Equal(new string(line![0], 100), line);
        }

        await writing.Within();
    }

    private Task<string?> ReadAsync() => _connection.ReadLineAsync(null, CancellationToken.None).Within();

    private Task SendAsync(string text) => _peer.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask().Within();
}
