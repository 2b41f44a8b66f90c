using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Kata.Runtime.Completion;

/// <summary>The script for fish, which walks over the words itself: one line says what may come when.</summary>
internal static class FishScript
{
    public static string Make(CompletionModel model)
    {
        var text = new StringBuilder();
        text.Append(
            """
            # fish completion for kata-runtime. Made by 'kata-runtime completion fish'.
            function __kata_runtime_ids
                set -l words (commandline -opc)
                set -l root
                for i in (seq 2 (count $words))
                    if test "$words[$i]" = --root; and test $i -lt (count $words)
                        set root --root $words[(math $i + 1)]
                    end
                end
                kata-runtime $root list --quiet 2> /dev/null
            end
            complete -c kata-runtime -f

            """);
        AppendOptions(text, "__fish_use_subcommand", model.GlobalOptions);
        foreach (CommandPath path in model.Commands)
        {
            string[] words = path.Words.Split(' ');
            string names = string.Join(' ', path.Command.Aliases.Append(path.Command.Name));
            IEnumerable<string> siblings = CompletionModel.Visible((Command)path.Command.Parents.First()).Select(static item => item.Name);
            string parent = words.Length == 1
                ? "__fish_use_subcommand"
                : $"__fish_seen_subcommand_from {words[0]}; and not __fish_seen_subcommand_from {string.Join(' ', siblings)}";
            text.Append(
                CultureInfo.InvariantCulture,
                $"complete -c kata-runtime -n '{parent}' -a {words[^1]} -d {Quote(path.Command.Description ?? "")}\n");
            string seen = words.Length == 1
                ? $"__fish_seen_subcommand_from {names}"
                : $"__fish_seen_subcommand_from {words[0]}; and __fish_seen_subcommand_from {names}";
            AppendOptions(text, seen, model.OptionsOf(path.Command));
            AppendOperands(text, seen, path.Command);
        }

        return text.ToString();
    }

    private static void AppendOperands(StringBuilder text, string seen, Command command)
    {
        for (int position = 0; position < command.Arguments.Count; position++)
        {
            string? what = Offer(CompletionModel.OperandOf(command, position));
            if (what is not null)
            {
                text.Append(CultureInfo.InvariantCulture, $"complete -c kata-runtime -n '{seen}' {what}\n");
            }
        }
    }

    private static void AppendOptions(StringBuilder text, string when, IReadOnlyList<Option> options)
    {
        foreach (Option option in options)
        {
            text.Append(CultureInfo.InvariantCulture, $"complete -c kata-runtime -n '{when}'");
            foreach (string name in CompletionModel.NamesOf(option))
            {
                text.Append(
                    CultureInfo.InvariantCulture,
                    $" {(name.StartsWith("--", StringComparison.Ordinal) ? "-l" : "-s")} {name.TrimStart('-')}");
            }

            if (CompletionModel.TakesValue(option))
            {
                text.Append(" -r");
                text.Append(Offer(CompletionModel.ValuesOf(option)) is { } values ? $" {values}" : "");
            }

            text.Append(CultureInfo.InvariantCulture, $" -d {Quote(option.Description ?? "")}\n");
        }
    }

    private static string? Offer(Candidates candidates) => candidates.Kind switch
    {
        CandidateKind.Words => $"-a '{string.Join(' ', candidates.Words)}'",
        CandidateKind.Files => "-F",
        CandidateKind.Directories => "-a '(__fish_complete_directories)'",
        CandidateKind.ContainerIds => "-a '(__kata_runtime_ids)'",
        _ => null,
    };

    private static string Quote(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
