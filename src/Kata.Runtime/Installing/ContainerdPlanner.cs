using System.Globalization;
using Kata.Oci;

namespace Kata.Runtime.Installing;

/// <summary>
/// Says which files of containerd's configuration get which text. Pure: texts in, texts out.
/// <list type="bullet">
/// <item>The user's text stays as it is, byte for byte; ours is one part between two lines of comment.</item>
/// <item>containerd 1.x takes a plugin's whole section from the file that it reads last, imports after the file that names them. A file of
/// our own would hide the user's section: our part goes to the end of that last file.</item>
/// <item>containerd 2.x merges. Where its configuration imports a directory, our part is a file of its own there.</item>
/// </list>
/// </summary>
internal static class ContainerdPlanner
{
    internal const string DropIn = "kata-runtime.toml";

    private const string OwnFile = "# Made by 'kata-runtime install containerd'.\n";

    /// <summary>What has to change, nothing when all is as it should be.</summary>
    /// <param name="path">The configuration file.</param>
    /// <param name="documents">That file and its imports, in the order in which containerd reads them; none when it does not exist.</param>
    /// <param name="dropInDirectory">The directory that the file imports whole, or null.</param>
    /// <param name="runtime">What to install, or null to take it out.</param>
    /// <exception cref="ArgumentException">The files do not allow it.</exception>
    public static IReadOnlyList<FileChange> Plan(
        string path, IReadOnlyList<ContainerdDocument> documents, string? dropInDirectory, ContainerdRuntime? runtime)
    {
        ContainerdDocument[] without =
            [.. documents.Select(static document => ContainerdDocument.Parse(document.Path, Cut(document, out _)))];
        string? target = runtime is null ? null : TargetOf(path, without, dropInDirectory);
        var changes = new List<FileChange>();
        for (int i = 0; i < documents.Count; i++)
        {
            string rest = without[i].Text;
            string? after = documents[i].Path == target ? Insert(documents[i], without[i], runtime!)
                : rest.Length < documents[i].Text.Length && IsOwn(rest) ? null
                : rest;
            if (after != documents[i].Text)
            {
                changes.Add(new FileChange(documents[i].Path, documents[i].Text, after));
            }
        }

        if (target is not null && !documents.Any(document => document.Path == target))
        {
            int version = documents is [{ Version: var main }, ..] ? main : 2; // the second is read by every containerd since 1.3
            ContainerdDocument empty = ContainerdDocument.Parse(
                target, string.Create(CultureInfo.InvariantCulture, $"{OwnFile}version = {version}\n"));
            changes.Add(new FileChange(target, null, Insert(empty, empty, runtime!)));
        }

        return changes;
    }

    private static string TargetOf(string path, ContainerdDocument[] documents, string? dropInDirectory)
    {
        foreach (ContainerdDocument document in documents)
        {
            if (document.FindRuntime() is { } line)
            {
                throw Refused(
                    document,
                    line,
                    "has a runtime of that name that this command did not write",
                    "Remove it, or keep it and leave this command alone");
            }
        }

        if (documents is [{ Version: >= 3 }, ..] && dropInDirectory is not null)
        {
            return Path.Combine(dropInDirectory, DropIn);
        }

        ContainerdDocument? last = documents.LastOrDefault(static document => document.HasPlugin);
        if (last?.FindObstacle() is { } obstacle)
        {
            throw Refused(
                last,
                obstacle,
                "has a value where tables of runtimes should follow, to which TOML lets nobody add",
                "Write that value as tables, '[...]'");
        }

        return last?.Path ?? path;
    }

    // In the place that it has already, else at the end, where every table may stand.
    private static string Insert(ContainerdDocument document, ContainerdDocument without, ContainerdRuntime runtime)
    {
        string newLine = document.Text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        bool withRunc = without.Version < 3 && !without.HasAnyRuntime;
        string tables = runtime.Tables(without.RuntimesKey, withVersion: without.IsEmpty, withRunc).ReplaceLineEndings(newLine);
        Cut(document, out Range? place);
        string text = document.Text;
        string result = place is { } range ? text[..range.Start] + tables + text[range.End..]
            : text + (text.Length == 0 || text[^1] == '\n' ? "" : newLine) + (text.Length == 0 ? "" : newLine) + tables;

        // The proof that it is TOML still, and says what it should.
        return ContainerdDocument.Parse(document.Path, result).FindRuntime() is not null
            ? result
            : throw new InvalidOperationException(
                $"Cannot change {SpecText.Quote(document.Path)}: the runtime is not found in the changed text. Add it by hand");
    }

    /// <summary>The text without our part, and without the empty line before it.</summary>
    private static string Cut(ContainerdDocument document, out Range? place)
    {
        string text = document.Text;
        place = null;
        int begin = FindLine(text, ContainerdRuntime.Begin, 0);
        if (begin < 0)
        {
            return text;
        }

        int end = FindLine(text, ContainerdRuntime.End, begin);
        int next = FindLine(text, ContainerdRuntime.Begin, begin + 1);
        if (end < 0 || (next >= 0 && next < end))
        {
            throw Refused(
                document,
                text.AsSpan(0, begin).Count('\n') + 1,
                $"begins a part of ours whose last line, '{ContainerdRuntime.End}', is missing",
                "Remove that part by hand");
        }

        int after = text.IndexOf('\n', end) is >= 0 and var newLine ? newLine + 1 : text.Length;
        place = begin..after;
        string before = text[..begin];
        before = before.EndsWith("\n\r\n", StringComparison.Ordinal) ? before[..^2]
            : before.EndsWith("\n\n", StringComparison.Ordinal) ? before[..^1]
            : before;
        return before + text[after..];
    }

    private static bool IsOwn(string text) =>
        text.StartsWith(OwnFile, StringComparison.Ordinal)
        && text.AsSpan(OwnFile.Length) is { Length: 12 } rest
        && rest.StartsWith("version = ", StringComparison.Ordinal);

    private static int FindLine(string text, string start, int from)
    {
        for (int at = text.IndexOf(start, from, StringComparison.Ordinal);
             at >= 0;
             at = text.IndexOf(start, at + 1, StringComparison.Ordinal))
        {
            if (at == 0 || text[at - 1] == '\n')
            {
                return at;
            }
        }

        return -1;
    }

    private static ArgumentException Refused(ContainerdDocument document, int line, string cause, string remedy) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"Cannot install the runtime '{ContainerdRuntime.Name}' in {SpecText.Quote(document.Path)}: line {line} {cause}. "
        + $"{remedy}; nothing was changed"));
}
