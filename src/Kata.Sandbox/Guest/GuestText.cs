using System.Globalization;
using System.Text;

namespace Kata.Sandbox;

/// <summary>Makes text that came from a guest safe to print, log and quote.</summary>
internal static class GuestText
{
    private const int MaxLength = 4096;

    /// <summary>
    /// Control characters, line ends, format characters and surrogates become <c>\xNN</c> or
    /// <c>\uNNNN</c>; the rest is cut at 4,096 characters.
    /// </summary>
    public static string Escape(string text)
    {
        var result = new StringBuilder(Math.Min(text.Length, MaxLength) + 16);
        foreach (char character in text.AsSpan(0, Math.Min(text.Length, MaxLength)))
        {
            if (character < 0x20 || character is >= '\x7f' and < '\xa0')
            {
                result.Append(CultureInfo.InvariantCulture, $"\\x{(int)character:x2}");
            }
            else if (char.IsSurrogate(character)
                || char.GetUnicodeCategory(character)
                    is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                result.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            }
            else
            {
                result.Append(character);
            }
        }

        return text.Length > MaxLength ? result.Append("...").ToString() : result.ToString();
    }
}
