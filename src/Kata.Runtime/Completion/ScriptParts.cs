using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Kata.Runtime.Completion;

/// <summary>The branches that bash and zsh share: <c>case</c> is the same in both.</summary>
internal static class ScriptParts
{
    // Operands after these are all of one kind, or none is known.
    private const int MostOperands = 3;

    /// <summary>What a word before the cursor means: an option that wants a value, a command, or an operand.</summary>
    public static void Walk(StringBuilder text, CompletionModel model, string indent, string path = "path")
    {
        AppendWanting(text, indent, "", model.GlobalOptions);
        foreach (CommandPath command in model.Commands)
        {
            AppendWanting(text, indent, command.Words, model.OptionsOf(command.Command));
        }

        foreach (CommandPath command in model.Commands)
        {
            int end = command.Words.LastIndexOf(' ');
            string parent = end < 0 ? "" : command.Words[..end];
            string names = string.Join('|', command.Command.Aliases.Append(command.Command.Name).Select(name => $"'{parent} {name}'"));
            text.Append(CultureInfo.InvariantCulture, $"{indent}{names}) {path}='{command.Words}' ;;\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{indent}*' '-*) ;;\n{indent}*) ((operands++)) || true ;;\n");
    }

    /// <summary>The value of an option.</summary>
    public static void Values(StringBuilder text, CompletionModel model, string indent, Func<Candidates, string> action)
    {
        AppendValues(text, indent, "", model.GlobalOptions, action);
        foreach (CommandPath command in model.Commands)
        {
            AppendValues(text, indent, command.Words, model.OptionsOf(command.Command), action);
        }
    }

    /// <summary>The names of options.</summary>
    public static void Options(StringBuilder text, CompletionModel model, string indent, Func<Candidates, string> action)
    {
        AppendOptions(text, indent, "", model.GlobalOptions, action);
        foreach (CommandPath command in model.Commands)
        {
            AppendOptions(text, indent, command.Words, model.OptionsOf(command.Command), action);
        }
    }

    /// <summary>Commands and operands.</summary>
    public static void Operands(StringBuilder text, CompletionModel model, string indent, Func<Candidates, string> action)
    {
        string[] commands =
            [.. model.Commands.Select(static item => item.Words).Where(static words => !words.Contains(' ', StringComparison.Ordinal))];
        AppendBranch(text, indent, "' 0'", new Candidates(CandidateKind.Words, commands), action);
        foreach (CommandPath command in model.Commands)
        {
            string[] subcommands = [.. CompletionModel.Visible(command.Command).Select(static sub => sub.Name)];
            if (subcommands.Length > 0)
            {
                AppendBranch(text, indent, $"'{command.Words} 0'", new Candidates(CandidateKind.Words, subcommands), action);
                continue;
            }

            for (int position = 0; position < MostOperands; position++)
            {
                string pattern = position == MostOperands - 1
                    ? $"'{command.Words} '*"
                    : string.Create(CultureInfo.InvariantCulture, $"'{command.Words} {position}'");
                AppendBranch(text, indent, pattern, CompletionModel.OperandOf(command.Command, position), action);
            }
        }
    }

    private static void AppendWanting(StringBuilder text, string indent, string path, IReadOnlyList<Option> options)
    {
        List<string> names = [.. options.Where(CompletionModel.TakesValue).SelectMany(CompletionModel.NamesOf)];
        if (names.Count > 0)
        {
            text.Append(
                CultureInfo.InvariantCulture, $"{indent}{string.Join('|', names.Select(name => $"'{path} {name}'"))}) want=$word ;;\n");
        }
    }

    private static void AppendValues(
        StringBuilder text, string indent, string path, IReadOnlyList<Option> options, Func<Candidates, string> action)
    {
        foreach (Option option in options.Where(CompletionModel.TakesValue))
        {
            string pattern = string.Join('|', CompletionModel.NamesOf(option).Select(name => $"'{path} {name}'"));
            AppendBranch(text, indent, pattern, CompletionModel.ValuesOf(option), action);
        }
    }

    private static void AppendOptions(
        StringBuilder text, string indent, string path, IReadOnlyList<Option> options, Func<Candidates, string> action) =>
        AppendBranch(
            text, indent, $"'{path}'", new Candidates(CandidateKind.Words, [.. options.SelectMany(CompletionModel.NamesOf)]), action);

    private static void AppendBranch(
        StringBuilder text, string indent, string pattern, Candidates candidates, Func<Candidates, string> action)
    {
        if (candidates.Kind != CandidateKind.None)
        {
            text.Append(CultureInfo.InvariantCulture, $"{indent}{pattern}) {action(candidates)} ;;\n");
        }
    }
}
