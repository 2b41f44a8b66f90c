using System.Globalization;
using Kata.Configuration;
using Kata.Oci;
using Tomlyn.Syntax;

namespace Kata.Runtime.Installing;

/// <summary>
/// One configuration file of containerd, as far as runtimes are concerned. It is only looked at: what is written is the file's own text
/// with one part more or less.
/// </summary>
internal sealed class ContainerdDocument
{
    private const int NewestVersion = 4;

    // Every table header and every key, with its whole path; a node that is no table header cannot be added to.
    private readonly List<Node> _nodes = [];

    private ContainerdDocument(string path, string text) => (Path, Text) = (path, text);

    public string Path { get; }

    public string Text { get; }

    /// <summary>
    /// Of the configuration's format: 1 and 2 are those of containerd 1.x, 3 and later of 2.x. A file that does not say has the first, and
    /// one that says nothing at all the second: every containerd reads that.
    /// </summary>
    public int Version { get; private set; }

    /// <summary>Whether there is nothing in it but comments.</summary>
    public bool IsEmpty => _nodes.Count == 0;

    public IReadOnlyList<string> Imports { get; private init; } = [];

    public IReadOnlyList<string> DisabledPlugins { get; private init; } = [];

    /// <summary>The path of containerd's table of runtimes, in this version of the format.</summary>
    public string[] Runtimes => Version switch
    {
        1 => ["plugins", "cri", "containerd", "runtimes"],
        2 => ["plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes"],
        _ => ["plugins", "io.containerd.cri.v1.runtime", "containerd", "runtimes"],
    };

    /// <summary>The same as a dotted key.</summary>
    public string RuntimesKey => string.Join('.', Runtimes.Select(static part => part.Contains('.') ? $"\"{part}\"" : part));

    /// <summary>Whether anything is said about the plugin that has the runtimes.</summary>
    public bool HasPlugin => Find(node => StartsWith(node.Path, Runtimes[..2])) is not null;

    public bool HasAnyRuntime => Find(node => node.Path.Count > Runtimes.Length && StartsWith(node.Path, Runtimes)) is not null;

    /// <exception cref="ArgumentException">It is not TOML, or of a version that nobody has seen yet.</exception>
    public static ContainerdDocument Parse(string path, string text)
    {
        DocumentSyntax syntax = TomlReader.Parse(text, path, out TomlError? error);
        if (error is not null)
        {
            string where =
                error.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $" in line {error.Line}, column {error.Column}") : "";
            throw new ArgumentException(
                $"Cannot change {SpecText.Quote(path)}: it is not TOML{where}: {error.Cause}. "
                + "Correct it first, or name another file with '--file'; nothing was changed");
        }

        var document = new ContainerdDocument(path, text)
        {
            Version = VersionOf(path, Top(syntax, "version")),
            Imports = StringsOf(Top(syntax, "imports")),
            DisabledPlugins = StringsOf(Top(syntax, "disabled_plugins")),
        };
        document.Add([], syntax.KeyValues);
        foreach (TableSyntaxBase table in syntax.Tables)
        {
            List<string> key = TomlReader.PathOf(table.Name!);
            document._nodes.Add(new Node(key, table.Span.Start.Line + 1, table is TableSyntax));
            document.Add(key, table.Items);
        }

        document.Version = document.IsEmpty ? 2 : document.Version;
        return document;
    }

    /// <summary>The line that says something about our runtime, or null.</summary>
    public int? FindRuntime() => Find(node => StartsWith(node.Path, [.. Runtimes, ContainerdRuntime.Name]));

    /// <summary>
    /// The line of a value where the tables above our runtime should be: an inline table, which cannot be added to, or an array.
    /// </summary>
    public int? FindObstacle() => Find(node => !node.IsTable && node.Path.Count <= Runtimes.Length && StartsWith(Runtimes, node.Path));

    private int? Find(Predicate<Node> condition)
    {
        int at = _nodes.FindIndex(condition);
        return at < 0 ? null : _nodes[at].Line;
    }

    private void Add(List<string> prefix, SyntaxList<KeyValueSyntax> items)
    {
        foreach (KeyValueSyntax item in items)
        {
            Add([.. prefix, .. TomlReader.PathOf(item.Key!)], item);
        }
    }

    private void Add(List<string> path, KeyValueSyntax item)
    {
        _nodes.Add(new Node(path, item.Span.Start.Line + 1, false));
        if (item.Value is InlineTableSyntax table)
        {
            foreach (InlineTableItemSyntax inner in table.Items)
            {
                Add([.. path, .. TomlReader.PathOf(inner.KeyValue!.Key!)], inner.KeyValue);
            }
        }
    }

    private static int VersionOf(string path, ValueSyntax? value) => value switch
    {
        null => 1,
        IntegerValueSyntax { Value: >= 0 and <= NewestVersion and var version } => Math.Max((int)version, 1),
        _ => throw new ArgumentException(
            $"Cannot change {SpecText.Quote(path)}: its version is {SpecText.Quote(value.ToString().Trim())}, "
            + $"and 1 to {NewestVersion} are known. Add the tables by hand, as 'deploy/containerd' shows them"),
    };

    private static List<string> StringsOf(ValueSyntax? value)
    {
        List<string> strings = [];
        foreach (ArrayItemSyntax item in value is ArraySyntax array ? array.Items : [])
        {
            strings.Add((item.Value as StringValueSyntax)?.Value ?? "");
        }

        return strings;
    }

    private static ValueSyntax? Top(DocumentSyntax syntax, string name)
    {
        foreach (KeyValueSyntax item in syntax.KeyValues)
        {
            if (TomlReader.PathOf(item.Key!) is [string only] && only == name)
            {
                return item.Value;
            }
        }

        return null;
    }

    private static bool StartsWith(IReadOnlyList<string> path, IReadOnlyList<string> prefix)
    {
        for (int i = 0; i < prefix.Count; i++)
        {
            if (i >= path.Count || path[i] != prefix[i])
            {
                return false;
            }
        }

        return true;
    }

    private sealed class Node(List<string> path, int line, bool isTable)
    {
        public List<string> Path => path;

        public int Line => line;

        public bool IsTable => isTable;
    }
}
