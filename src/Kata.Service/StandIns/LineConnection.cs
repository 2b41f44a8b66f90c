using System.Text;
using Kata.Linux;

namespace Kata.Service;

/// <summary>Text lines over a unix socket; what a service and its stand-ins speak. Owns the socket.</summary>
/// <param name="stream">The socket.</param>
/// <param name="maxLineBytes">The longest line that is taken.</param>
internal sealed class LineConnection(DescriptorStream stream, int maxLineBytes = LineConnection.ShortLineBytes) : IAsyncDisposable
{
    /// <summary>A hello is a few hundred bytes, every other line a few words.</summary>
    private const int ShortLineBytes = 4096;

    private byte[] _buffer = new byte[ShortLineBytes];
    private readonly SemaphoreSlim _writing = new(1, 1);
    private int _length;

    public SafeFileDescriptor Descriptor => stream.Descriptor;

    /// <summary>The next line without its end, or null when the peer has gone.</summary>
    /// <param name="descriptors">Descriptors that came along are appended and belong to the caller; null when none may come.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="InvalidDataException">The line is longer than any of ours.</exception>
    public async Task<string?> ReadLineAsync(List<SafeFileDescriptor>? descriptors, CancellationToken cancellationToken)
    {
        while (true)
        {
            int end = _buffer.AsSpan(0, _length).IndexOf((byte)'\n');
            if (end >= 0)
            {
                string line = Encoding.UTF8.GetString(_buffer, 0, end);
                _buffer.AsSpan(end + 1, _length - end - 1).CopyTo(_buffer);
                _length -= end + 1;
                return line;
            }

            if (_length == maxLineBytes)
            {
                throw new InvalidDataException($"a line is longer than {maxLineBytes} bytes");
            }

            if (_length == _buffer.Length)
            {
                Array.Resize(ref _buffer, Math.Min(_length * 2, maxLineBytes));
            }

            int count = descriptors is null
                ? await stream.ReadAsync(_buffer.AsMemory(_length), cancellationToken)
                : await stream.ReceiveAsync(_buffer.AsMemory(_length), descriptors, cancellationToken);
            if (count == 0)
            {
                return null;
            }

            _length += count;
        }
    }

    public Task WriteLineAsync(string line, CancellationToken cancellationToken) =>
        WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken);

    /// <summary>Writes a part of a line, or more than one.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await stream.WriteAsync(text, cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        _writing.Dispose();
    }
}
