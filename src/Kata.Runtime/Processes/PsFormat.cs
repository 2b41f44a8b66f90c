using System.Globalization;
using System.Text;
using Kata.Agent.Protocol.Extension;

namespace Kata.Runtime.Processes;

/// <summary>What a listing shows. Made from the options of ps(1), as far as they mean something for one container.</summary>
internal sealed record PsFormat
{
    private const string Supported =
        "Of ps(1) a container's list knows -e, -A, -a, -d, -x, -w, -f, -o LIST, -p PIDS, --format LIST, --pid PIDS, --no-headers, "
        + "and a, x, w, u, o LIST without a dash";

    public required IReadOnlyList<PsColumn> Columns { get; init; }

    public bool Headers { get; init; } = true;

    /// <summary>Only these processes, or all when null.</summary>
    public IReadOnlySet<int>? Pids { get; init; }

    /// <param name="options">None means <c>-ef</c>, as with runc.</param>
    /// <exception cref="ArgumentException">An option is unknown; the text says which work.</exception>
    public static PsFormat Parse(IReadOnlyList<string> options) => new PsOptionReader(options.Count == 0 ? ["-ef"] : options).Read();

    /// <summary>The whole listing, each line with its end.</summary>
    public string Render(IEnumerable<GuestProcess> processes, DateTimeOffset now)
    {
        List<string[]> rows = [.. processes.Where(process => Pids?.Contains(process.Pid) != false)
            .Select(process => Columns.Select(column => column.Value(process, now)).ToArray())];
        if (Headers && Columns.Any(static column => column.Header.Length > 0))
        {
            rows.Insert(0, [.. Columns.Select(static column => column.Header)]);
        }

        var text = new StringBuilder();
        int[] widths = [.. Columns.Select((column, index) => rows.Select(row => row[index].Length).Append(column.Width).Max())];
        foreach (string[] row in rows)
        {
            var line = new StringBuilder();
            for (int i = 0; i < row.Length; i++)
            {
                line.Append(i == 0 ? "" : " ").Append(Columns[i].AlignRight ? row[i].PadLeft(widths[i]) : row[i].PadRight(widths[i]));
            }

            text.Append(line.ToString().TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    internal static PsFormat Of(params string[] names) => new() { Columns = [.. names.Select(static name => PsColumns.Find(name)!)] };

    internal static ArgumentException Unknown(string option) =>
        new($"Cannot use the ps option '{option}': it is not supported. {Supported}");

    /// <summary>A list of columns as <c>-o</c> takes it: names between commas or blanks, the last perhaps with a heading.</summary>
    internal static IEnumerable<PsColumn> ParseColumns(string list)
    {
        string rest = list;
        while (rest.Length > 0)
        {
            int end = rest.AsSpan().IndexOfAny(", =");
            string name = end < 0 ? rest : rest[..end];
            string? header = end >= 0 && rest[end] == '=' ? rest[(end + 1)..] : null; // to the end, commas and all
            rest = end < 0 || header is not null ? "" : rest[(end + 1)..];
            if (name.Length == 0 && header is null)
            {
                continue;
            }

            PsColumn column = PsColumns.Find(name) ?? throw new ArgumentException(
                $"Cannot show the ps column '{name}': it is not supported. Use some of {string.Join(", ", PsColumns.Names)}");
            yield return header is null ? column : column with { Header = header, Width = header.Length == 0 ? 0 : column.Width };
        }
    }

    internal static IEnumerable<int> ParsePids(string list) =>
        list.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(static word =>
            int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                ? pid
                : throw new ArgumentException(
                    $"Cannot list the process '{word}': it is not a number. Give numbers with commas between them"));
}
