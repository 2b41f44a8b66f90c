using System.Text;

namespace Kata.Runtime.Installing;

/// <summary>Shows a change of one place, as <c>diff -u</c> would.</summary>
internal static class TextDifference
{
    private const int Around = 3; // lines

    public static string Describe(FileChange change)
    {
        string[] before = LinesOf(change.Before);
        string[] after = LinesOf(change.After);
        int head = 0, tail = 0, room = Math.Min(before.Length, after.Length);
        while (head < room && before[head] == after[head])
        {
            head++;
        }

        while (tail < room - head && before[^(tail + 1)] == after[^(tail + 1)])
        {
            tail++;
        }

        int from = Math.Max(0, head - Around);
        int left = Math.Min(tail, Around);

        var text = new StringBuilder();
        text.Append($"--- {(change.Before is null ? "/dev/null" : change.Path)}\n")
            .Append($"+++ {(change.After is null ? "/dev/null" : change.Path)}\n")
            .Append($"@@ -{Span(from, before.Length - tail + left)} +{Span(from, after.Length - tail + left)} @@\n");
        Append(text, ' ', before[from..head]);
        Append(text, '-', before[head..^tail]);
        Append(text, '+', after[head..^tail]);
        Append(text, ' ', before[^tail..][..left]);
        return text.ToString();
    }

    private static string[] LinesOf(string? text) =>
        string.IsNullOrEmpty(text) ? [] : [.. (text[^1] == '\n' ? text[..^1] : text).Split('\n').Select(static line => line.TrimEnd('\r'))];

    private static string Span(int from, int to) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(to > from ? from + 1 : from)},{to - from}");

    private static void Append(StringBuilder text, char sign, string[] lines)
    {
        foreach (string line in lines)
        {
            text.Append(sign).Append(line).Append('\n');
        }
    }
}
