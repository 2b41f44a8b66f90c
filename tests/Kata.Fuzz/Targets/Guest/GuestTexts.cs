using System.Globalization;
using System.Text;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Runtime.Hosting;
using Kata.Sandbox;

namespace Kata.Fuzz.Targets;

/// <summary>What a guest writes and a person reads: nothing of it moves a cursor, ends a line or turns the direction of writing.</summary>
internal static class GuestTexts
{
    public static IFuzzTarget Create(string name) => new ChoiceTarget(name, Console, Escape, Ready);

    private static void Console(byte[] input)
    {
        var options = new ConsoleLogOptions { TailLines = 5, LineLimitBytes = 40 };
        using var log = new ConsoleLog(null, options);
        int piece = input.Length == 0 ? 1 : 1 + input[^1];
        for (int at = 0; at < input.Length; at += piece)
        {
            log.Append(input.AsSpan(at, Math.Min(piece, input.Length - at)));
        }

        log.Complete();
        IReadOnlyList<string> lines = log.Tail(100);
        Finding.Unless(lines.Count <= options.TailLines, "more lines are kept than should be");
        foreach (string line in lines)
        {
            CheckPrintable(line);
            Finding.Unless(line.Length <= options.LineLimitBytes * "\\uNNNNN".Length, "a line has no bound");
        }

        CheckPrintable(log.TailForError());
    }

    private static void Escape(byte[] input)
    {
        CheckPrintable(PrintableText.Escape(input));
        string text = Encoding.UTF8.GetString(input);
        Finding.Unless(
            PrintableText.Escape(text) == PrintableText.Escape(Encoding.UTF8.GetBytes(text)), "bytes and text are escaped differently");
        CheckPrintable(GuestText.Escape(text));
    }

    private static void Ready(byte[] input)
    {
        if (ReadinessReport.ReadyLine(input) is { } line)
        {
            Finding.Unless(
                line.AsSpan().StartsWith("READY="u8) && line.AsSpan().Count((byte)'\n') == 1 && line[^1] == '\n',
                "more than a line goes to the caller");
        }
    }

    public static void CheckPrintable(string text) => Finding.Unless(
        text.EnumerateRunes().All(static rune => Rune.GetUnicodeCategory(rune) is not (
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)),
        $"a character is left that a terminal obeys: {BitConverter.ToString(Encoding.UTF8.GetBytes(text))}");
}
