using System.Globalization;
using System.Text;

namespace Kata.Oci;

/// <summary>Puts values that a caller wrote into error texts: quoted, without control characters, and short.</summary>
internal static class SpecText
{
    private const int MaxLength = 128;

    internal static string Quote(string value) => $"'{Clean(value)}'";

    internal static string Clean(string value)
    {
        bool clean = value.Length <= MaxLength;
        for (int i = 0; clean && i < value.Length; i++)
            clean = !NeedsEscape(value[i]);
        if (clean)
            return value;

        var text = new StringBuilder();
        foreach (char c in value.AsSpan(0, Math.Min(value.Length, MaxLength)))
        {
            if (NeedsEscape(c))
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                text.Append(c);
        }

        if (value.Length > MaxLength)
            text.Append(CultureInfo.InvariantCulture, $"... ({value.Length} characters)");
        return text.ToString();
    }

    // Directional and other format characters could reorder a terminal line; lone surrogates cannot be printed.
    private static bool NeedsEscape(char c) =>
        char.IsControl(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
