using System.Text;
using System.Text.Json;
using Kata.Service;
using Microsoft.Extensions.Logging;

namespace Kata.Fuzz.Targets;

/// <summary>Records with any text: each is one line of the file, and can be read again.</summary>
internal sealed class LogRecords
{
    private readonly string _path = Path.Combine(Scratch.NewDirectory("log-record"), "log");

    public void Write(byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        string json = WriteOne(LogFormat.Json, text);
        using var document = JsonDocument.Parse(json);
        Finding.Unless(document.RootElement.GetProperty("msg").GetString() == text, "another text is read than was written");
        Finding.Unless(document.RootElement.GetProperty("field").GetString() == text, "another field is read than was written");
        _ = WriteOne(LogFormat.Text, text);
    }

    private string WriteOne(LogFormat format, string text)
    {
        File.Delete(_path);
        using (RecordLog log = RecordLog.Open(
            _path, format, LogLevel.Trace, TimeProvider.System, "fuzz", "pod", text, journalPath: "/nonexistent"))
        {
            log.Write(LogLevel.Error, text, [new("field", text)]);
        }

        string record = File.ReadAllText(_path);
        Finding.Unless(
            record.EndsWith('\n') && record.IndexOf('\n', StringComparison.Ordinal) == record.Length - 1,
            "a record has more lines than one");
        return record;
    }
}
