using System.Text.Json;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Kata.Service.Tests;

public sealed class RecordLogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero));

    private string NoJournal => _directory.File("no-journal");

    private string LogPath => _directory.File("log");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Write_Text_IsTheGoldenLine()
    {
        using (RecordLog log = Open(LogFormat.Text))
        {
            log.Write(LogLevel.Warning, "it's \"odd\"", [new("path", "/a/b"), new("empty", "")]);
        }

        Assert.Equal(
            $"time=2026-01-02T03:04:05.6780000Z level=warning msg=\"it's \\\"odd\\\"\" name=kata-runtime pid={Environment.ProcessId} "
            + "source=runtime subsystem=service sandbox=pod container=c1 "
            + $"{Version(static (key, value) => $"{key}={value}", " ")} path=/a/b empty=\"\"\n",
            File.ReadAllText(LogPath));
    }

    [Fact]
    public void Write_Json_IsTheGoldenLine()
    {
        using (RecordLog log = Open(LogFormat.Json))
        {
            log.Write(LogLevel.Information, "it's <odd>", [new("path", "/ü")]);
        }

        Assert.Equal(
            "{\"time\":\"2026-01-02T03:04:05.6780000Z\",\"level\":\"info\",\"msg\":\"it's <odd>\",\"name\":\"kata-runtime\","
            + $"\"pid\":\"{Environment.ProcessId}\",\"source\":\"runtime\","
            + "\"subsystem\":\"service\",\"sandbox\":\"pod\",\"container\":\"c1\","
            + $"{Version(static (key, value) => $"\"{key}\":\"{value}\"", ",")},\"path\":\"/ü\"}}\n",
            File.ReadAllText(LogPath));
    }

    [Fact]
    public void Log_RecordNamesAContainer_BelongsToIt()
    {
        using (RecordLog log = Open(LogFormat.Json))
        {
            log.ContainerStarted(ContainerId.Parse("c2"));
            log.SandboxGone(SandboxId.Parse("pod"));
        }

        string[] lines = File.ReadAllLines(LogPath);
        Assert.Equal(["c2", "c1"], lines.Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("container").GetString()));
    }

    [Theory]
    [InlineData("two\nlines")]
    [InlineData("forged\" level=error msg=\"x")]
    [InlineData("{\"a\":1}\r\n")]
    [InlineData("\u001b[2J\0\u007f")]
    [InlineData("a\u2028b\u2029c\u0085d")]
    [InlineData("back\\slash")]
    public void Write_HostileText_IsOneRecordThatReadsBack(string text)
    {
        using (RecordLog log = Open(LogFormat.Json))
        {
            log.Write(LogLevel.Error, text, null);
        }

        using (RecordLog log = Open(LogFormat.Text))
        {
            log.Write(LogLevel.Error, text, null);
        }

        string[] lines = File.ReadAllText(LogPath).Split('\n');
        Assert.Equal(3, lines.Length); // two records and the end
        using JsonDocument document = JsonDocument.Parse(lines[0]);
        Assert.Equal(text, document.RootElement.GetProperty("msg").GetString());
        Assert.Contains($" name=kata-runtime pid={Environment.ProcessId} ", lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', lines[1]);
        Assert.DoesNotContain("\" level=error msg=\"x", lines[1].Replace("\\\"", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LogLevel.Debug, false)]
    [InlineData(LogLevel.Information, true)]
    [InlineData(LogLevel.Error, true)]
    public void Log_Level_Decides(LogLevel level, bool written)
    {
        using (RecordLog log = Open(LogFormat.Text))
        {
            Assert.Equal(written, log.IsEnabled(level));
            log.Log(level, new EventId(1), "state", new IOException("inner\ncause"), static (state, _) => state);
        }

        string text = File.ReadAllText(LogPath);
        Assert.Equal(written, text.Contains("msg=\"state: inner\\ncause\"", StringComparison.Ordinal));
    }

    [Fact]
    public void Open_SeveralWriters_AppendWholeLines()
    {
        using RecordLog first = Open(LogFormat.Text);
        using RecordLog second = Open(LogFormat.Text);
        Parallel.For(0, 200, i => (i % 2 == 0 ? first : second).Write(LogLevel.Error, new string('x', 500), null));
        string[] lines = File.ReadAllLines(LogPath);
        Assert.Equal(200, lines.Length);
        Assert.All(lines, static line => Assert.StartsWith("time=", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/dev/null")]
    public void Open_NoPath_WritesNothing(string? path)
    {
        using var log = RecordLog.Open(path, LogFormat.Text, LogLevel.Trace, _time, "x", null, null, NoJournal);
        Assert.False(log.IsEnabled(LogLevel.Critical));
        log.Write(LogLevel.Critical, "nobody hears it", null);
    }

    [Fact]
    public void Write_FullDisk_DoesNotThrow()
    {
        using var log = RecordLog.Open("/dev/full", LogFormat.Text, LogLevel.Trace, _time, "x", null, null, NoJournal);
        log.Write(LogLevel.Critical, "lost", null);
    }

    private static string Version(Func<string, string, string> pair, string separator) =>
        string.Join(separator, pair("version", Kata.Sandbox.RuntimeVersion.Number), pair("commit", Kata.Sandbox.RuntimeVersion.Commit));

    private RecordLog Open(LogFormat format) =>
        RecordLog.Open(LogPath, format, LogLevel.Information, _time, "service", "pod", "c1", NoJournal);
}
