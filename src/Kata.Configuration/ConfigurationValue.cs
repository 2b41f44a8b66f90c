using System.Globalization;

namespace Kata.Configuration;

/// <summary>A value that fits its key.</summary>
/// <param name="Content">A string, bool, long, double or string[]; null for a value that is kept and not looked at.</param>
/// <param name="Origin">Where it comes from.</param>
internal sealed record ConfigurationValue(object? Content, ConfigurationOrigin Origin)
{
    internal string Text => (string)Content!;

    internal bool Flag => (bool)Content!;

    internal long Whole => (long)Content!;

    internal double Number => Content is long whole ? whole : (double)Content!;

    internal IReadOnlyList<string> List => (string[])Content!;

    /// <summary>The value as TOML.</summary>
    public override string ToString() => Write(Content);

    internal static string Write(object? content) => content switch
    {
        string text => Quote(text),
        bool flag => flag ? "true" : "false",
        long whole => whole.ToString(CultureInfo.InvariantCulture),
        double number => number.ToString("0.0###############", CultureInfo.InvariantCulture),
        string[] list => $"[{string.Join(", ", list.Select(Quote))}]",
        _ => "...",
    };

    private static string Quote(string text)
    {
        var quoted = new System.Text.StringBuilder("\"");
        foreach (char c in text)
        {
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (char.IsControl(c))
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else
                quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }
}
