using System.Text;

namespace Kata.Linux;

/// <summary>
/// Makes text of a guest or of another program safe to print: no terminal sequence, no line break, no direction change survives.
/// </summary>
internal static class PrintableText
{
    /// <summary>
    /// UTF-8 to text; control, format and undecodable characters become <c>\xNN</c>, <c>\uNNNN</c> or U+FFFD, a tab becomes a blank.
    /// </summary>
    public static string Escape(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            _ = Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed); // an invalid sequence gives U+FFFD
            bytes = bytes[consumed..];
            Append(text, rune);
        }

        return text.ToString();
    }

    /// <inheritdoc cref="Escape(ReadOnlySpan{byte})"/>
    public static string Escape(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            Append(result, rune);
        }

        return result.ToString();
    }

    private static void Append(StringBuilder text, Rune rune)
    {
        if (rune.Value == '\t')
        {
            text.Append(' ');
        }
        else if (rune.Value < 0x20 || rune.Value is >= 0x7f and < 0xa0)
        {
            text.Append("\\x").Append(rune.Value.ToString("x2", null));
        }
        else if (Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Format
            or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator
            or System.Globalization.UnicodeCategory.PrivateUse or System.Globalization.UnicodeCategory.OtherNotAssigned)
        {
            text.Append("\\u").Append(rune.Value.ToString("x4", null));
        }
        else
        {
            text.Append(rune.ToString());
        }
    }
}
