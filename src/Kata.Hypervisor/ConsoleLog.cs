namespace Kata.Hypervisor;

/// <summary>
/// The guest's console, kept in bounds however much the guest writes: the last lines in memory, the last part in a file.
/// </summary>
/// <remarks>
/// Every byte comes from the guest. Nothing is interpreted, and whatever leaves this class as text is escaped
/// (<see cref="ConsoleText"/>); the file alone holds the raw bytes. Thread-safe; one writer.
/// </remarks>
internal sealed class ConsoleLog : IDisposable
{
    private readonly ConsoleLogOptions _options;
    private readonly TimeProvider _time;
    private readonly BoundedFile? _file;
    private readonly Lock _gate = new();
    private readonly Queue<string> _tail = new(); // guarded by _gate
    private readonly byte[] _line; // only the writer
    private int _lineLength;
    private long _windowStart;
    private int _windowLines;
    private long _suppressed;

    /// <param name="path">The file, created at the first byte, mode 0600; null for memory only. A file that cannot be written is given up silently: the console must not fail a guest.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="timeProvider">Measures the callback's rate.</param>
    public ConsoleLog(string? path, ConsoleLogOptions? options = null, TimeProvider? timeProvider = null)
    {
        _options = options ?? new ConsoleLogOptions();
        _time = timeProvider ?? TimeProvider.System;
        _file = path is null ? null : new BoundedFile(path, _options.FileLimitBytes);
        _line = new byte[_options.LineLimitBytes];
    }

    /// <summary>Called with each complete line, escaped, on the thread that appends; it must not block. Rate-limited.</summary>
    public event Action<string>? LineReceived;

    /// <summary>Lines that the rate limit kept from <see cref="LineReceived"/>.</summary>
    public long SuppressedLines => Interlocked.Read(ref _suppressed);

    /// <summary>Takes what the guest wrote.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        _file?.Write(data);
        while (!data.IsEmpty)
        {
            int end = data.IndexOf((byte)'\n');
            ReadOnlySpan<byte> piece = end < 0 ? data : data[..end];
            int room = _line.Length - _lineLength;
            if (piece.Length > room)
            {
                piece[..room].CopyTo(_line.AsSpan(_lineLength));
                _lineLength = _line.Length;
                EndLine();
                data = data[room..];
                continue;
            }

            piece.CopyTo(_line.AsSpan(_lineLength));
            _lineLength += piece.Length;
            if (end < 0)
            {
                return;
            }

            EndLine();
            data = data[(end + 1)..];
        }
    }

    /// <summary>Ends an unfinished last line, when the guest is gone.</summary>
    public void Complete()
    {
        if (_lineLength > 0)
        {
            EndLine();
        }
    }

    /// <summary>The last lines, escaped, oldest first.</summary>
    public IReadOnlyList<string> Tail(int lines)
    {
        lock (_gate)
        {
            return [.. _tail.Skip(Math.Max(0, _tail.Count - lines))];
        }
    }

    /// <summary>The last lines as the end of an error text: empty, or <c>. Last console lines: | ... | ...</c>.</summary>
    public string TailForError(int lines = 8)
    {
        IReadOnlyList<string> tail = Tail(lines);
        return tail.Count == 0 ? ". The guest wrote nothing on its console" : ". Last console lines: " + string.Join(" | ", tail);
    }

    public void Dispose() => _file?.Dispose();

    private void EndLine()
    {
        ReadOnlySpan<byte> bytes = _line.AsSpan(0, _lineLength).TrimEnd((byte)'\r');
        string text = ConsoleText.Escape(bytes);
        _lineLength = 0;
        if (text.Length == 0)
        {
            return;
        }

        lock (_gate)
        {
            while (_tail.Count >= _options.TailLines)
            {
                _tail.Dequeue();
            }

            _tail.Enqueue(text);
        }

        if (LineReceived is { } callback && Admit())
        {
            callback(text);
        }
    }

    private bool Admit()
    {
        long now = _time.GetTimestamp();
        if (_time.GetElapsedTime(_windowStart, now) >= TimeSpan.FromSeconds(1))
        {
            _windowStart = now;
            _windowLines = 0;
        }

        if (++_windowLines <= _options.LinesPerSecond)
        {
            return true;
        }

        Interlocked.Increment(ref _suppressed);
        return false;
    }
}
