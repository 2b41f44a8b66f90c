using System.Text;

namespace Kata.Repo.Tests;

/// <summary>C# text with comments, strings and characters blanked, so that a rule about code does not trip over prose.</summary>
internal static class CodeText
{
    /// <summary>Every character outside code becomes a space; line breaks stay, so line numbers stay too.</summary>
    public static string Of(string source)
    {
        var code = new StringBuilder(source);
        int at = 0;
        while (at < source.Length)
        {
            int end = EndOfProse(source, at);
            for (int i = at; i < end; i++)
            {
                if (source[i] != '\n')
                {
                    code[i] = ' ';
                }
            }

            at = Math.Max(end, at + 1);
        }

        return code.ToString();
    }

    public static string[] Lines(string source) => Of(source).Split('\n');

    // Where the comment or literal that starts at this place ends; the place itself when none starts here.
    private static int EndOfProse(string source, int at)
    {
        ReadOnlySpan<char> rest = source.AsSpan(at);
        if (rest.StartsWith("//"))
        {
            return EndAfter(source, at, "\n") - 1;
        }

        if (rest.StartsWith("/*"))
        {
            return EndAfter(source, at + 2, "*/");
        }

        if (rest.StartsWith("\"\"\""))
        {
            int quotes = rest.IndexOfAnyExcept('"') is var n && n < 0 ? rest.Length : n;
            return EndAfter(source, at + quotes, new string('"', quotes));
        }

        if (rest.StartsWith("@\"") || rest.StartsWith("$@\"") || rest.StartsWith("@$\""))
        {
            return EndOfVerbatim(source, source.IndexOf('"', at) + 1);
        }

        return rest[0] is '"' or '\'' ? EndOfQuoted(source, at) : at;
    }

    private static int EndAfter(string source, int from, string mark)
    {
        int found = from > source.Length ? -1 : source.IndexOf(mark, from, StringComparison.Ordinal);
        return found < 0 ? source.Length + (mark == "\n" ? 1 : 0) : found + mark.Length;
    }

    private static int EndOfVerbatim(string source, int at)
    {
        while (at < source.Length)
        {
            if (source[at++] == '"')
            {
                if (at == source.Length || source[at] != '"')
                {
                    return at;
                }

                at++;
            }
        }

        return at;
    }

    private static int EndOfQuoted(string source, int at)
    {
        char quote = source[at++];
        while (at < source.Length && source[at] != quote && source[at] != '\n')
        {
            at += source[at] == '\\' ? 2 : 1;
        }

        return Math.Min(at + 1, source.Length);
    }
}
