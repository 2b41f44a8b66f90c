using Kata.Oci;

namespace Kata.Service;

/// <summary>
/// A stream's name as containerd gives it: a path, or a URI of the logging contract, <c>fifo://</c>, <c>file://</c> or
/// <c>binary://</c>. The query of the last is the program's arguments: <c>?--id=7&amp;verbose</c> is <c>--id 7 verbose ""</c>.
/// </summary>
internal sealed class StdioAddress
{
    private StdioAddress(StdioScheme scheme, string path, List<string> arguments) => (Scheme, Path, Arguments) = (scheme, path, arguments);

    public StdioScheme Scheme { get; }

    public string Path { get; }

    public IReadOnlyList<string> Arguments { get; }

    /// <summary>Null for an empty name: there is no such stream.</summary>
    /// <exception cref="ArgumentException">It has another scheme, or names no absolute path.</exception>
    public static StdioAddress? Parse(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        if (text.IndexOf("://", StringComparison.Ordinal) is not (> 0 and var end) || text[0] == '/')
        {
            return new StdioAddress(StdioScheme.Fifo, text, []);
        }

        StdioScheme scheme = text[..end] switch
        {
            "fifo" => StdioScheme.Fifo,
            "file" => StdioScheme.File,
            "binary" => StdioScheme.Binary,
            _ => throw Wrong(text, "its scheme is not known", "Give a path, or a URI that begins with fifo://, file:// or binary://"),
        };
        string rest = text[(end + "://".Length)..].Split('#')[0];
        string[] parts = rest.Split('?', 2);
        string path = Uri.UnescapeDataString(parts[0]);
        return path is ['/', _, ..] && !path.Contains('\0')
            ? new StdioAddress(scheme, path, scheme == StdioScheme.Binary && parts.Length > 1 ? ArgumentsOf(parts[1]) : [])
            : throw Wrong(
                text, "what follows the scheme is no absolute path", $"Write it with three slashes, as in {text[..end]}:///var/log/x");
    }

    // In the order of the query; of a name that comes twice the first value counts, as with every shim.
    private static List<string> ArgumentsOf(string query)
    {
        var arguments = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string item in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = item.Split('=', 2);
            string name = Decode(pair[0]);
            if (seen.Add(name))
            {
                arguments.Add(name);
                arguments.Add(pair.Length > 1 ? Decode(pair[1]) : "");
            }
        }

        return arguments;
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static ArgumentException Wrong(string text, string cause, string remedy) =>
        new($"Cannot use the stream {SpecText.Quote(text)}: {cause}. {remedy}");
}
