using System.Text;
using Kata.Linux;

namespace Kata.Integration.Tests.Harness;

/// <summary>The controlling side of a pseudoterminal, read until an expected text comes.</summary>
internal sealed class Pseudoterminal(SafeFileDescriptor controller) : IAsyncDisposable
{
    private readonly DescriptorStream _stream = new(controller);
    private readonly StringBuilder _seen = new();

    /// <summary>Everything that has been read.</summary>
    public string Seen => _seen.ToString();

    public TerminalSize? Size => Terminal.GetSize(_stream.Descriptor);

    public void Resize(ushort rows, ushort columns) => Terminal.SetSize(_stream.Descriptor, new TerminalSize(rows, columns));

    public async Task TypeAsync(string text) =>
        await _stream.WriteAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken)
            .AsTask().WaitAsync(RuntimeFixture.Limit);

    /// <summary>Reads until the text has come, and forgets everything up to its end.</summary>
    public async Task ExpectAsync(string text)
    {
        byte[] buffer = new byte[4096];
        int at;
        while ((at = Seen.IndexOf(text, StringComparison.Ordinal)) < 0)
        {
            int count = await ReadAsync(buffer, text);
            Assert.True(count > 0, $"the terminal ended before '{text}' came; it showed: {Seen}");
            _seen.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        _seen.Remove(0, at + text.Length);
    }

    /// <summary>All that comes until nobody has the other side open any more.</summary>
    public async Task<string> ReadToEndAsync()
    {
        byte[] buffer = new byte[4096];
        int count;
        while ((count = await ReadAsync(buffer, "the end")) > 0)
        {
            _seen.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return Seen;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task<int> ReadAsync(byte[] buffer, string text)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            return await _stream.ReadAsync(buffer, limit.Token);
        }
        catch (LinuxException error) when (error.Errno == Errno.EIO)
        {
            return 0; // nobody has the other side open any more
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"'{text}' did not come within 60 s; the terminal showed: {Seen}");
        }
    }
}
