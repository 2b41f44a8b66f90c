namespace Kata.Linux;

/// <summary>
/// The last lines of a byte stream, each bounded and escaped (<see cref="PrintableText"/>), however much comes. Thread-safe; one writer.
/// </summary>
/// <param name="maxLines">How many lines are kept.</param>
/// <param name="maxLineBytes">A longer line is cut into pieces of this size.</param>
/// <param name="onLine">Gets each line as it ends, on the thread that appends; must not block.</param>
internal sealed class LineTail(int maxLines = 50, int maxLineBytes = 1024, Action<string>? onLine = null)
{
    private readonly byte[] _line = new byte[maxLineBytes];
    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new(); // guarded by _gate
    private int _length;

    /// <summary>Takes bytes as they come; a line may arrive in pieces.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int newline = data.IndexOf((byte)'\n');
            int length = newline < 0 ? data.Length : newline;
            int part = Math.Min(length, _line.Length - _length);
            data[..part].CopyTo(_line.AsSpan(_length));
            _length += part;
            if (part < length)
            {
                EndLine(); // too long: the rest is a line of its own
                data = data[part..];
            }
            else if (newline < 0)
            {
                return;
            }
            else
            {
                EndLine();
                data = data[(newline + 1)..];
            }
        }
    }

    /// <summary>Ends an unfinished last line, when the writer is gone.</summary>
    public void Complete()
    {
        if (_length > 0)
        {
            EndLine();
        }
    }

    /// <summary>The last lines, oldest first. Empty lines are not kept.</summary>
    public IReadOnlyList<string> Last(int count)
    {
        lock (_gate)
        {
            return [.. _lines.Skip(Math.Max(0, _lines.Count - count))];
        }
    }

    /// <summary>
    /// Reads a stream to its end and disposes it; always reads, so that the writer never waits for us. Never faults: when
    /// the stream breaks or is disposed, it ends.
    /// </summary>
    public async Task FillAsync(Stream source)
    {
        await PumpAsync(source, Append);
        Complete();
    }

    /// <summary>As <see cref="FillAsync"/>, into any taker.</summary>
    internal static async Task PumpAsync(Stream source, Action<ReadOnlySpan<byte>> take)
    {
        await using Stream owned = source;
        byte[] buffer = new byte[4096];
        try
        {
            int count;
            while ((count = await source.ReadAsync(buffer, CancellationToken.None)) > 0)
            {
                take(buffer.AsSpan(0, count));
            }
        }
        catch (Exception error) when (error is LinuxException or ObjectDisposedException)
        {
            // The other side is gone; how it went is told by its process.
        }
    }

    private void EndLine()
    {
        string text = PrintableText.Escape(_line.AsSpan(0, _length).TrimEnd((byte)'\r'));
        _length = 0;
        if (text.Length == 0)
        {
            return;
        }

        lock (_gate)
        {
            while (_lines.Count >= maxLines)
            {
                _lines.Dequeue();
            }

            _lines.Enqueue(text);
        }

        onLine?.Invoke(text);
    }
}
