using System.Buffers;
using System.Text.Json;
using Kata.Linux;
using Kata.Linux.Interop;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Logging;

/// <summary>
/// Writes each record as one JSON line to the guest's console, where the host reads it: time, level, msg, name, pid, source,
/// subsystem. Everything outside printable ASCII is escaped, so no container can forge a line or a terminal sequence.
/// </summary>
internal sealed class ConsoleLogger : ILogger, IDisposable
{
    private const int RecordLimit = 8 * 1024;

    private readonly Lock _gate = new();
    private readonly SafeFileDescriptor _console; // writes guarded by _gate: a line is never torn
    private readonly LogLevel _level;
    private readonly TimeProvider _time;

    private ConsoleLogger(SafeFileDescriptor console, LogLevel level, TimeProvider time)
    {
        _console = console;
        _level = level;
        _time = time;
    }

    /// <summary>A console that cannot be opened makes a logger that writes nowhere: a guest without one still works.</summary>
    public static ConsoleLogger Open(string path, LogLevel level, TimeProvider time) =>
        new(LibC.open(path, LibC.O_WRONLY | LibC.O_NOCTTY | LibC.O_CLOEXEC, 0), level, time);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= _level && !_console.IsInvalid;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        byte[] line = Format(_time.GetUtcNow(), logLevel, formatter(state, exception), exception);
        lock (_gate)
        {
            Write(line);
        }
    }

    public void Dispose() => _console.Dispose();

    internal static byte[] Format(DateTimeOffset time, LogLevel level, string message, Exception? exception)
    {
        if (exception is not null)
        {
            message = $"{message}: {exception.Message}";
        }

        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", time.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", System.Globalization.CultureInfo.InvariantCulture));
            json.WriteString("level", level switch
            {
                LogLevel.Trace or LogLevel.Debug => "debug",
                LogLevel.Information => "info",
                LogLevel.Warning => "warning",
                _ => "error",
            });
            json.WriteString("msg", message.Length > RecordLimit ? message[..RecordLimit] : message);
            json.WriteString("name", "kata-agent");
            json.WriteNumber("pid", Environment.ProcessId);
            json.WriteString("source", "agent");
            json.WriteString("subsystem", "agent");
            json.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private unsafe void Write(ReadOnlySpan<byte> line)
    {
        // SAFETY: the span is pinned for the call and the kernel reads at most Length bytes from it.
        fixed (byte* first = line)
        {
            _ = LibC.write(_console, first, (nuint)line.Length); // a console that fails has nowhere to say so
        }
    }
}
