using Kata.Linux;

namespace Kata.Hypervisor;

/// <summary>
/// The guest's console, kept in bounds however much the guest writes: the last lines in memory, the last part in a file.
/// </summary>
/// <remarks>
/// Every byte comes from the guest. Nothing is interpreted, and whatever leaves this class as text is escaped
/// (<see cref="PrintableText"/>); the file alone holds the raw bytes. Thread-safe; one writer.
/// </remarks>
internal sealed class ConsoleLog : IDisposable
{
    private readonly ConsoleLogOptions _options;
    private readonly TimeProvider _time;
    private readonly BoundedFile? _file;
    private readonly LineTail _tail;
    private long _windowStart;
    private int _windowLines;
    private long _suppressed;

    /// <param name="path">
    /// The file, created at the first byte, mode 0600; null for memory only. A file that cannot be
    /// written is given up silently: the console must not fail a guest.
    /// </param>
    /// <param name="options">The bounds.</param>
    /// <param name="timeProvider">Measures the callback's rate.</param>
    public ConsoleLog(string? path, ConsoleLogOptions? options = null, TimeProvider? timeProvider = null)
    {
        _options = options ?? new ConsoleLogOptions();
        _time = timeProvider ?? TimeProvider.System;
        _file = path is null ? null : new BoundedFile(path, _options.FileLimitBytes);
        _tail = new LineTail(_options.TailLines, _options.LineLimitBytes, OnLine);
    }

    /// <summary>Called with each complete line, escaped, on the thread that appends; it must not block. Rate-limited.</summary>
    public event Action<string>? LineReceived;

    /// <summary>Lines that the rate limit kept from <see cref="LineReceived"/>.</summary>
    public long SuppressedLines => Interlocked.Read(ref _suppressed);

    /// <summary>Takes what the guest wrote.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        _file?.Write(data);
        _tail.Append(data);
    }

    /// <summary>Ends an unfinished last line, when the guest is gone.</summary>
    public void Complete() => _tail.Complete();

    /// <summary>Reads a guest's console to its end and disposes the stream. Never faults.</summary>
    public async Task FillAsync(Stream source)
    {
        await LineTail.PumpAsync(source, Append);
        Complete();
    }

    /// <summary>The last lines, escaped, oldest first.</summary>
    public IReadOnlyList<string> Tail(int lines) => _tail.Last(lines);

    /// <summary>Whether the guest has written nothing yet.</summary>
    public bool IsEmpty => Tail(1).Count == 0;

    /// <summary>The last lines as the end of a cause: <c>. Last console lines: ... | ...</c>, or that there are none.</summary>
    public string TailForError(int lines = 8)
    {
        IReadOnlyList<string> tail = Tail(lines);
        return tail.Count == 0 ? ", and the guest wrote nothing on its console" : ". Last console lines: " + string.Join(" | ", tail);
    }

    public void Dispose() => _file?.Dispose();

    private void OnLine(string text)
    {
        if (LineReceived is not { } callback)
        {
            return;
        }

        long now = _time.GetTimestamp();
        if (_time.GetElapsedTime(_windowStart, now) >= TimeSpan.FromSeconds(1))
        {
            _windowStart = now;
            _windowLines = 0;
        }

        if (++_windowLines <= _options.LinesPerSecond)
        {
            callback(text);
        }
        else
        {
            Interlocked.Increment(ref _suppressed);
        }
    }
}
