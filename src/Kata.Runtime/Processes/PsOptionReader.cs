namespace Kata.Runtime.Processes;

/// <summary>
/// Reads the options of ps(1), of both families: letters behind a dash are UNIX's, without one BSD's. What selects processes is
/// accepted and changes nothing, since all that there is belongs to one container.
/// </summary>
internal sealed class PsOptionReader(IReadOnlyList<string> words)
{
    private readonly List<PsColumn> _columns = [];
    private HashSet<int>? _pids;
    private bool _headers = true;
    private bool _bsd;
    private PsFormat? _named;
    private int _next;

    /// <exception cref="ArgumentException">An option is unknown or incomplete.</exception>
    public PsFormat Read()
    {
        while (_next < words.Count)
        {
            string word = words[_next++];
            if (word.StartsWith("--", StringComparison.Ordinal))
            {
                ReadLong(word);
            }
            else if (word is "-aux" or "-auxw" or "-auxww" or "-ux")
            {
                ReadLetters(word, word[1..], unix: false); // what ps takes it for, too, when there is no user 'x'
            }
            else if (word.StartsWith('-') && word.Length > 1)
            {
                ReadLetters(word, word[1..], unix: true);
            }
            else
            {
                ReadLetters(word, word, unix: false);
            }
        }

        PsFormat format = _columns.Count > 0 ? new PsFormat { Columns = _columns }
            : _named ?? (_bsd ? PsFormat.Of("pid", "tty", "stat", "bsdtime", "args") : Plain());
        return format with { Headers = _headers, Pids = _pids };
    }

    // UNIX's ps without a format: the program's name under another heading.
    private static PsFormat Plain() => new()
    {
        Columns = [.. PsFormat.Of("pid", "tty", "time").Columns, PsColumns.Find("comm")! with { Header = "CMD" }],
    };

    // -f: the numbers under UID are names where there are any.
    private static PsFormat Full() => new()
    {
        Columns =
            [PsColumns.Find("user")! with { Header = "UID" }, .. PsFormat.Of("pid", "ppid", "c", "stime", "tty", "time", "cmd").Columns],
    };

    private void ReadLong(string word)
    {
        string[] parts = word.Split('=', 2);
        switch (parts[0])
        {
            case "--":
                break;
            case "--format":
                _columns.AddRange(PsFormat.ParseColumns(Value(word, parts.Length > 1 ? parts[1] : "")));
                break;
            case "--pid":
                AddPids(Value(word, parts.Length > 1 ? parts[1] : ""));
                break;
            case "--no-headers" or "--no-heading" or "--no-headings" when parts.Length == 1:
                _headers = false;
                break;
            default:
                throw PsFormat.Unknown(word);
        }
    }

    private void ReadLetters(string word, string letters, bool unix)
    {
        _bsd |= !unix;
        for (int i = 0; i < letters.Length; i++)
        {
            switch (letters[i])
            {
                case 'e' or 'A' or 'd' when unix:
                case 'a' or 'x' or 'w':
                    break;
                case 'f' when unix:
                    _named = Full();
                    break;
                case 'u' when !unix:
                    _named = PsFormat.Of("user", "pid", "%cpu", "%mem", "vsz", "rss", "tty", "stat", "bsdstart", "bsdtime", "args");
                    break;
                case 'h' when !unix:
                    _headers = false;
                    break;
                case 'o':
                    _columns.AddRange(PsFormat.ParseColumns(Value(word, letters[(i + 1)..])));
                    return;
                case 'p' when unix:
                    AddPids(Value(word, letters[(i + 1)..]));
                    return;
                default:
                    throw PsFormat.Unknown(word);
            }
        }
    }

    // What stands in the same word, or the next word.
    private string Value(string option, string rest) => rest.Length > 0 ? rest
        : _next < words.Count ? words[_next++]
        : throw new ArgumentException($"Cannot use the ps option '{option}': its value is missing. Give one, for example -o pid,args");

    private void AddPids(string list) => (_pids ??= []).UnionWith(PsFormat.ParsePids(list));
}
