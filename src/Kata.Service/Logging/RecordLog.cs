using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Sandbox;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>
/// Writes one structured record per event: time, level, msg, name, pid, source, subsystem, sandbox, container, version, commit.
/// Each record is one write(2) to a file opened for appending, so several processes can share a log, and one datagram to journald where
/// the host has it.
/// </summary>
internal sealed class RecordLog : ILogger, IDisposable
{
    private readonly SafeFileDescriptor? _file;
    private readonly JournalLog? _journal;
    private readonly LogFormat _format;
    private readonly LogLevel _fileLevel;
    private readonly TimeProvider _time;
    private volatile LogLevel _level;

    private RecordLog(
        SafeFileDescriptor? file, JournalLog? journal, LogFormat format, LogLevel level, LogLevel fileLevel, TimeProvider time) =>
        (_file, _journal, _format, _level, _fileLevel, _time) = (file, journal, format, level, fileLevel, time);

    /// <summary>The part of the program that speaks.</summary>
    public string Subsystem { get; init; } = "runtime";

    public string? Sandbox { get; init; }

    public string? Container { get; init; }

    /// <summary>Opens the log for appending, mode 0640, and the journal. Without either nothing is written.</summary>
    /// <exception cref="LinuxException">The file cannot be opened. A missing journal is no error.</exception>
    public static RecordLog Open(
        string? path, LogFormat format, LogLevel level, TimeProvider time, string subsystem, string? sandbox, string? container,
        string journalPath = JournalLog.DefaultPath, LogLevel fileLevel = LogLevel.Trace)
    {
        SafeFileDescriptor? file = path is null or "" or "/dev/null"
            ? null
            : OpenFile(path);
        return new RecordLog(file, JournalLog.Open(journalPath), format, level, fileLevel, time)
        {
            Subsystem = subsystem,
            Sandbox = sandbox,
            Container = container,
        };
    }

    /// <summary>
    /// What goes into a file of that format: podman takes the whole file for one record, and anything before the error would hide it.
    /// </summary>
    public static LogLevel FileLevelOf(LogFormat format, bool debug) =>
        format == LogFormat.Json && !debug ? LogLevel.Error : LogLevel.Trace;

    /// <summary>Has records of a lower level written too, from now on.</summary>
    public void Lower(LogLevel level) => _level = level < _level ? level : _level;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => (_file is not null || _journal is not null) && logLevel >= _level;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            string text = exception is null
                ? formatter(state, exception)
                : $"{formatter(state, exception)}: {ServiceStatus.TextOf(exception)}";
            Write(logLevel, text, ContainerOf(state) ?? Container, null);
        }
    }

    /// <summary>Writes a record whatever the level, with extra fields; into the file from the file's own level on.</summary>
    public void Write(LogLevel level, string message, IEnumerable<KeyValuePair<string, string>>? fields) =>
        Write(level, message, Container, fields);

    public void Dispose()
    {
        _file?.Dispose();
        _journal?.Dispose();
    }

    // A record that names a container belongs to it: that is what one searches a journal for.
    private static string? ContainerOf<TState>(TState state)
    {
        if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
        {
            for (int i = 0; i < values.Count; i++)
            {
                if (values[i] is { Key: "ContainerId", Value: { } id })
                {
                    return id.ToString();
                }
            }
        }

        return null;
    }

    private void Write(LogLevel level, string message, string? container, IEnumerable<KeyValuePair<string, string>>? fields)
    {
        var known = new List<KeyValuePair<string, string>> { new("source", "runtime"), new("subsystem", Subsystem) };
        Add(known, "sandbox", Sandbox);
        Add(known, "container", container);
        known.Add(new("version", RuntimeVersion.Number));
        known.Add(new("commit", RuntimeVersion.Commit));
        known.AddRange(fields ?? []);
        _journal?.Write(level, message, known);
        if (_file is not null && level >= _fileLevel)
        {
            List<KeyValuePair<string, string>> all =
            [
                new("time", _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture)),
                new("level", Name(level)),
                new("msg", message),
                new("name", "kata-runtime"),
                new("pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)),
                .. known,
            ];
            Append(_format == LogFormat.Json ? ToJson(all) : ToText(all));
        }
    }

    private static SafeFileDescriptor OpenFile(string path)
    {
        // containerd's is a fifo: it may have no reader for a while, and a full one must not hold us up.
        int access = FileStatus.IsFifo(path) ? LibC.O_RDWR | LibC.O_NONBLOCK : LibC.O_WRONLY | LibC.O_CREAT | LibC.O_APPEND;
        SafeFileDescriptor file = LibC.open(path, access | LibC.O_CLOEXEC, FileModes.GroupReadable);
        if (!file.IsInvalid)
        {
            return file;
        }

        LinuxException error = LinuxException.FromLastErrno("open", $"open the log '{path}'");
        file.Dispose();
        throw LinuxException.RemedyFor(error.Errno) is not null ? error
            : new LinuxException(
                error.Call, $"open the log '{path}'", error.Errno, "Give --log a file in a directory that exists and may be written to");
    }

    private static void Add(List<KeyValuePair<string, string>> fields, string key, string? value)
    {
        if (value is not null)
        {
            fields.Add(new(key, value));
        }
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "fatal",
    };

    private static byte[] ToJson(List<KeyValuePair<string, string>> fields)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach ((string key, string value) in fields)
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static byte[] ToText(List<KeyValuePair<string, string>> fields)
    {
        var line = new StringBuilder();
        foreach ((string key, string value) in fields)
        {
            bool plain = value.Length > 0
                && value.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or ':' or '/' or '_' or '+');
            line.Append(line.Length > 0 ? " " : "").Append(key).Append('=');
            line.Append(plain
                ? value
                : $"\"{JsonEncodedText.Encode(value, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");
        }

        return Encoding.UTF8.GetBytes(line.Append('\n').ToString());
    }

    private void Append(byte[] line)
    {
        try
        {
            DescriptorWriter.Write(_file!, line, "write a log record");
        }
        catch (LinuxException)
        {
            // a log that cannot be written must not stop what it describes
        }
    }
}
