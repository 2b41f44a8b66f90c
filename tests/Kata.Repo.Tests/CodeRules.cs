using System.Text.RegularExpressions;

namespace Kata.Repo.Tests;

/// <summary>Rules that no analyzer has, on the text of one file. Each returns the lines that break it.</summary>
internal static partial class CodeRules
{
    /// <summary>A forbidden word in code; comments and strings may hold it.</summary>
    public static IEnumerable<Finding> Words(string file, string source, Regex word, string text) =>
        CodeText.Lines(source)
            .Select((line, index) => (line, index))
            .Where(item => word.IsMatch(item.line))
            .Select(item => new Finding(file, item.index + 1, text));

    /// <summary>
    /// <c>// SAFETY:</c> stands above each <c>unsafe</c> or <c>fixed</c>, or inside the member or block that it opens. A member that
    /// is <c>unsafe</c> only for its signature, and a <c>fixed</c> inside an <c>unsafe</c> member, share the comment.
    /// </summary>
    public static IEnumerable<Finding> UnexplainedUnsafe(string file, string source)
    {
        string[] lines = source.Split('\n');
        string[] code = CodeText.Lines(source);
        for (int i = 0; i < code.Length; i++)
        {
            if (!Unsafe().IsMatch(code[i]) || TypeDeclaration().IsMatch(code[i]))
            {
                continue;
            }

            int first = i;
            while (first > 0 && lines[first - 1].AsSpan().Trim() is var above && (above.StartsWith("//") || above.StartsWith("[")))
            {
                first--;
            }

            int last = EndOfBlock(code, i);
            if (!lines[first..(last + 1)].Any(line => line.Contains("// SAFETY:", StringComparison.Ordinal)))
            {
                yield return new Finding(file, i + 1, "'unsafe' without a '// SAFETY:' comment that says what keeps the pointer valid");
            }

            i = last;
        }
    }

    /// <summary>A note for later that names no issue.</summary>
    public static IEnumerable<Finding> LooseNotes(string file, string source) =>
        source.Split('\n')
            .Select((line, index) => (line, index))
            .Where(item => Note().IsMatch(item.line) && !NoteWithIssue().IsMatch(item.line))
            .Select(item => new Finding(file, item.index + 1, "a note for later without an issue. Write it as TODO(#123)"));

    /// <summary>The ids of the file's log messages.</summary>
    public static IEnumerable<(int Id, int Line)> LogEventIds(string source)
    {
        string code = CodeText.Of(source);
        foreach (Match match in EventId().Matches(code))
        {
            string id = match.Groups[1].Value.Replace("_", "", StringComparison.Ordinal);
            int line = code.AsSpan(0, match.Index).Count('\n') + 1;
            yield return (int.Parse(id, System.Globalization.CultureInfo.InvariantCulture), line);
        }
    }

    // The member or block that opens on or after this line: up to the line that closes its brace, or its ';' when it has none.
    private static int EndOfBlock(string[] code, int start)
    {
        int depth = 0;
        for (int i = start; i < code.Length; i++)
        {
            foreach (char c in code[i])
            {
                depth += c switch { '{' => 1, '}' => -1, _ => 0 };
                if ((depth == 0 && c == '}') || (depth == 0 && c == ';'))
                {
                    return i;
                }
            }
        }

        return code.Length - 1;
    }

    [GeneratedRegex(@"\bunsafe\b|\bfixed\s*\(")]
    private static partial Regex Unsafe();

    [GeneratedRegex(@"\bunsafe\b.*\b(class|struct|interface|delegate)\b")]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK)\b")]
    private static partial Regex Note();

    [GeneratedRegex(@"\bTODO\(#\d+\)")]
    private static partial Regex NoteWithIssue();

    [GeneratedRegex(@"\bLoggerMessage\b[^\]]*?\bEventId\s*=\s*([\d_]+)", RegexOptions.Singleline)]
    private static partial Regex EventId();
}
