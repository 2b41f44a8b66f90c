namespace Kata.Runtime.Manual;

/// <summary>
/// What docs/limitations.md lists as being so because it is a virtual machine. The document itself is in the executable: there is no
/// second list that could say something else.
/// </summary>
internal static class MachineLimits
{
    private const string Heading = "## Because it is a virtual machine";

    public static IReadOnlyList<(string What, string Why)> Read()
    {
        using Stream stream = typeof(MachineLimits).Assembly.GetManifestResourceStream("limitations.md")
            ?? throw new InvalidOperationException("The executable has no limitations.md");
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd());
    }

    /// <summary>The rows of the first table below the heading, as plain text.</summary>
    internal static IReadOnlyList<(string What, string Why)> Parse(string document) =>
    [
        .. document.Split('\n').SkipWhile(static line => line != Heading).Skip(1)
            .TakeWhile(static line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Where(static line => line.StartsWith('|')).Skip(2) // the table's heading and its rule
            .Select(static line => line.Trim('|').Split('|', 2))
            .Select(static cells => (Plain(cells[0]), Plain(cells[1]))),
    ];

    private static string Plain(string cell)
    {
        string text = cell.Trim().Replace("`", "", StringComparison.Ordinal);
        return text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
    }
}
