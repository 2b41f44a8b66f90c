using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>
/// Records for journald by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram a record, <c>NAME=value</c> a line, or
/// where a value has lines of its own <c>NAME</c>, its length in eight bytes and then the value.
/// </summary>
/// <remarks>
/// Never waits: a record that journald cannot take now is lost, as one that describes work must not stop it. A datagram ends at the
/// socket's send buffer, 208 KiB on a stock kernel. Instead of handing larger ones over as sealed files, a value is cut at 16 KiB and
/// says so: no record of ours has a use for more, and <c>--log</c> has it whole.
/// </remarks>
internal sealed class JournalLog : IDisposable
{
    /// <summary>Where journald listens.</summary>
    public const string DefaultPath = "/run/systemd/journal/socket";

    private const int MaxValueBytes = 16 * 1024;

    private readonly DatagramSender _sender;

    private JournalLog(string path) => _sender = new DatagramSender(path);

    /// <summary>The journal, or null when this host has none.</summary>
    public static JournalLog? Open(string path) => File.Exists(path) ? new JournalLog(path) : null;

    /// <param name="level">Becomes syslog's priority.</param>
    /// <param name="message">The text.</param>
    /// <param name="fields">What else is known; <c>sandbox</c> becomes KATA_SANDBOX.</param>
    public void Write(LogLevel level, string message, IEnumerable<KeyValuePair<string, string>> fields)
    {
        var datagram = new ArrayBufferWriter<byte>(512);
        Add(datagram, "MESSAGE", message);
        Add(datagram, "PRIORITY", PriorityOf(level).ToString(CultureInfo.InvariantCulture));
        Add(datagram, "SYSLOG_IDENTIFIER", "kata-runtime");
        foreach ((string key, string value) in fields)
        {
            Add(datagram, $"KATA_{key.ToUpperInvariant()}", value);
        }

        _sender.TrySend(datagram.WrittenSpan);
    }

    public void Dispose() => _sender.Dispose();

    private static void Add(ArrayBufferWriter<byte> datagram, string name, string value)
    {
        byte[] text = Encoding.UTF8.GetBytes(Shorten(value));
        datagram.Write(Encoding.UTF8.GetBytes(name));
        if (text.Contains((byte)'\n'))
        {
            datagram.Write("\n"u8);
            BinaryPrimitives.WriteUInt64LittleEndian(datagram.GetSpan(sizeof(ulong)), (ulong)text.Length);
            datagram.Advance(sizeof(ulong));
        }
        else
        {
            datagram.Write("="u8);
        }

        datagram.Write(text);
        datagram.Write("\n"u8);
    }

    private static string Shorten(string value)
    {
        int bytes = Encoding.UTF8.GetByteCount(value);
        return bytes <= MaxValueBytes
            ? value
            : string.Create(
                CultureInfo.InvariantCulture, $"{value.AsSpan(0, MaxValueBytes / 4)} ... (cut: {bytes} bytes; --log FILE has them all)");
    }

    // syslog(3)
    private static int PriorityOf(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => 7,
        LogLevel.Information => 6,
        LogLevel.Warning => 4,
        LogLevel.Error => 3,
        _ => 2,
    };
}
