using System.CommandLine;
using System.CommandLine.Completions;

namespace Kata.Runtime.Completion;

/// <summary>
/// What the scripts of all shells complete, out of the definitions that the parser works with: the places a word may stand at, and
/// what may stand there.
/// </summary>
internal sealed class CompletionModel
{
    private static readonly string[] s_newIds = ["create", "run", "restore"];

    private readonly RootCommand _root;

    public CompletionModel(RootCommand root)
    {
        _root = root;
        Commands = [.. Visible(root).Select(static command => new CommandPath(command.Name, command)).SelectMany(Flatten)];
    }

    /// <summary>Every command that people see with the words that lead to it, the one above before those below.</summary>
    public IReadOnlyList<CommandPath> Commands { get; }

    public static IEnumerable<Command> Visible(Command command) => command.Subcommands.Where(static item => !item.Hidden);

    /// <summary>
    /// Names and aliases, the short ones last. Without those that the parser has for other systems: <c>/h</c>, <c>/?</c>, <c>-?</c>.
    /// </summary>
    public static IEnumerable<string> NamesOf(Option option) =>
        option.Aliases.Append(option.Name).Where(static name => name[0] == '-' && name != "-?").Distinct()
            .OrderDescending(StringComparer.Ordinal).OrderByDescending(static name => name.Length > 2);

    /// <summary>Options before any command.</summary>
    public IReadOnlyList<Option> GlobalOptions => [.. _root.Options.Where(static option => !option.Hidden)];

    /// <summary>Options after a command.</summary>
    public IReadOnlyList<Option> OptionsOf(Command command) =>
        [.. PosixOrder.OptionsOf(_root, command).Where(static option => !option.Hidden)];

    public static bool TakesValue(Option option) => option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool);

    /// <summary>What the value of an option may be.</summary>
    public static Candidates ValuesOf(Option option) => option.HelpName switch
    {
        "DIR" => new Candidates(CandidateKind.Directories, []),
        "FILE" or "PATH" => new Candidates(CandidateKind.Files, []),
        _ when UsageError.Choices(option) is { Length: > 0 } choices => new Candidates(CandidateKind.Words, choices),
        _ => new Candidates(CandidateKind.None, []),
    };

    /// <summary>What the operand at a position may be; the last one of a command may repeat.</summary>
    public static Candidates OperandOf(Command command, int position)
    {
        Argument? argument = position < command.Arguments.Count ? command.Arguments[position]
            : command.Arguments.LastOrDefault() is { Arity.MaximumNumberOfValues: > 1 } repeated ? repeated : null;
        return argument?.Name switch
        {
            "ID" when !s_newIds.Contains(command.Name) => new Candidates(CandidateKind.ContainerIds, []),
            "SIGNAL" => new Candidates(CandidateKind.Words, [.. Enumerable.Range(1, 31).Select(NameOfSignal)]),
            "FILE" => new Candidates(CandidateKind.Files, []),
            not null when LabelsOf(argument) is { Length: > 0 } choices => new Candidates(CandidateKind.Words, choices),
            _ => new Candidates(CandidateKind.None, []),
        };
    }

    private static string NameOfSignal(int number) =>
        Oci.Signal.Parse(number.ToString(System.Globalization.CultureInfo.InvariantCulture)).Name;

    private static string[] LabelsOf(Argument argument) =>
        [.. argument.GetCompletions(CompletionContext.Empty).Select(static item => item.Label)];

    private static IEnumerable<CommandPath> Flatten(CommandPath path) =>
        [path, .. Visible(path.Command).SelectMany(sub => Flatten(new CommandPath($"{path.Words} {sub.Name}", sub)))];
}
