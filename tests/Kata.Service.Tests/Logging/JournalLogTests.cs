using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Kata.Testing;
using Microsoft.Extensions.Logging;

namespace Kata.Service.Tests;

/// <summary>What arrives at a socket in journald's place, read as journald reads it.</summary>
public sealed class JournalLogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Socket _journal = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public JournalLogTests() => _journal.Bind(new UnixDomainSocketEndPoint(JournalPath));

    private string JournalPath => _directory.File("journal.sock");

    public void Dispose()
    {
        _journal.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Write_Record_HasItsFields()
    {
        using (RecordLog log = Open())
        {
            log.Write(LogLevel.Warning, "it's odd", [new("path", "/a=b"), new("empty", "")]);
        }

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["MESSAGE"] = "it's odd",
                ["PRIORITY"] = "4",
                ["SYSLOG_IDENTIFIER"] = "kata-runtime",
                ["KATA_SOURCE"] = "runtime",
                ["KATA_SUBSYSTEM"] = "service",
                ["KATA_SANDBOX"] = "pod",
                ["KATA_CONTAINER"] = "c1",
                ["KATA_VERSION"] = Kata.Sandbox.RuntimeVersion.Number,
                ["KATA_COMMIT"] = Kata.Sandbox.RuntimeVersion.Commit,
                ["KATA_PATH"] = "/a=b",
                ["KATA_EMPTY"] = "",
            },
            Receive());
    }

    [Theory]
    [InlineData("two\nlines")]
    [InlineData("\n")]
    [InlineData("forged\nPRIORITY=0\nMESSAGE=x")]
    [InlineData("binary\0\u001b[2J\r")]
    [InlineData("ü 漢字")]
    public void Write_AnyText_IsOneFieldThatReadsBack(string text)
    {
        using RecordLog log = Open();
        log.Write(LogLevel.Error, text, [new("other", text)]);
        Dictionary<string, string> fields = Receive();
        Assert.Equal((text, text, "3"), (fields["MESSAGE"], fields["KATA_OTHER"], fields["PRIORITY"]));
    }

    [Theory]
    [InlineData(LogLevel.Debug, "7")]
    [InlineData(LogLevel.Information, "6")]
    [InlineData(LogLevel.Critical, "2")]
    public void Log_Level_IsSyslogsPriority(LogLevel level, string priority)
    {
        using RecordLog log = Open(LogLevel.Debug);
        Assert.True(log.IsEnabled(level));
        log.Log(level, new EventId(1), "state", null, static (state, _) => state);
        Assert.Equal(priority, Receive()["PRIORITY"]);
    }

    [Fact]
    public void Log_BelowTheLevel_IsNotSent()
    {
        using RecordLog log = Open();
        Assert.False(log.IsEnabled(LogLevel.Debug));
        log.Log(LogLevel.Debug, new EventId(1), "state", null, static (state, _) => state);
        Assert.Equal(0, _journal.Available);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('€')]
    public void Write_HugeValues_AreCutAndSaySo(char character)
    {
        using RecordLog log = Open();
        string huge = new(character, 2_000_000);
        log.Write(LogLevel.Error, huge, [new("arguments", huge)]);
        Dictionary<string, string> fields = Receive();
        Assert.EndsWith(
            $" ... (cut: {Encoding.UTF8.GetByteCount(huge)} bytes; --log FILE has them all)", fields["MESSAGE"], StringComparison.Ordinal);
        Assert.EndsWith("--log FILE has them all)", fields["KATA_ARGUMENTS"], StringComparison.Ordinal);
        Assert.Equal("pod", fields["KATA_SANDBOX"]);
    }

    [Fact]
    public void Write_JournalIsFull_DropsAndDoesNotWait()
    {
        using RecordLog log = Open();
        for (int i = 0; i < 10_000; i++)
        {
            log.Write(LogLevel.Error, $"record {i}", null); // nobody reads
        }

        Assert.Equal("record 0", Receive()["MESSAGE"]);
    }

    [Fact]
    public void Write_JournalHasGoneOrRestarts_IsNoError()
    {
        using RecordLog log = Open();
        File.Delete(JournalPath);
        log.Write(LogLevel.Error, "lost", null);
        using var next = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        next.Bind(new UnixDomainSocketEndPoint(JournalPath));
        log.Write(LogLevel.Error, "heard", null);
        Assert.Equal("heard", Receive(next)["MESSAGE"]);
    }

    [Fact]
    public void Write_FileToo_BothHaveIt()
    {
        using (var log = RecordLog.Open(
            _directory.File("log"), LogFormat.Json, LogLevel.Information, TimeProvider.System, "service", null, null, JournalPath))
        {
            log.Write(LogLevel.Error, "twice", null);
        }

        Assert.Equal("twice", Receive()["MESSAGE"]);
        Assert.Contains("\"msg\":\"twice\"", File.ReadAllText(_directory.File("log")), StringComparison.Ordinal);
    }

    private RecordLog Open(LogLevel level = LogLevel.Information) =>
        RecordLog.Open(null, LogFormat.Text, level, TimeProvider.System, "service", "pod", "c1", JournalPath);

    private Dictionary<string, string> Receive() => Receive(_journal);

    private static Dictionary<string, string> Receive(Socket journal)
    {
        journal.ReceiveTimeout = 10_000;
        byte[] buffer = new byte[1 << 20];
        ReadOnlySpan<byte> rest = buffer.AsSpan(0, journal.Receive(buffer));
        var fields = new Dictionary<string, string>();
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            int equals = rest[..end].IndexOf((byte)'=');
            if (equals >= 0)
            {
                fields.Add(Encoding.UTF8.GetString(rest[..equals]), Encoding.UTF8.GetString(rest[(equals + 1)..end]));
                rest = rest[(end + 1)..];
                continue;
            }

            string name = Encoding.UTF8.GetString(rest[..end]);
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(rest[(end + 1)..]);
            ReadOnlySpan<byte> value = rest[(end + 1 + sizeof(ulong))..];
            fields.Add(name, Encoding.UTF8.GetString(value[..length]));
            Assert.Equal((byte)'\n', value[length]);
            rest = value[(length + 1)..];
        }

        Assert.All(fields.Keys, static name => Assert.Matches("^[A-Z][A-Z0-9_]{0,63}$", name)); // journald drops any other
        return fields;
    }
}
