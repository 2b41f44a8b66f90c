using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using Kata.Configuration;
using Kata.Oci;

namespace Kata.Runtime;

/// <summary>What is wrong with a command line, in our words: the parser's name neither the remedy nor the word that was meant.</summary>
internal static class UsageError
{
    /// <summary>The text, or null when the command line is right.</summary>
    public static string? Find(RootCommand root, string[] arguments, ParseResult result)
    {
        Command command = result.CommandResult.Command;
        if (PosixOrder.FindUnknownOption(root, arguments) is var (option, at))
        {
            IEnumerable<string> known = PosixOrder.OptionsOf(root, at)
                .Where(static item => !item.Hidden).SelectMany(static item => item.Aliases.Append(item.Name));
            string cause = at == root ? "there is none of that name" : $"'{NameOf(at)}' has none of that name";
            return $"Cannot use the option {SpecText.Quote(option)}: {cause}. {Hint(option, known)}{See(at)}";
        }

        // Asked for help, the parser sees no error: but there is none to give about a command that does not exist.
        if (command.Subcommands.Count > 0 && result.UnmatchedTokens is [{ } word, ..])
        {
            IEnumerable<string> known = command.Subcommands.Where(static item => !item.Hidden)
                .SelectMany(static item => item.Aliases.Append(item.Name));
            return $"Cannot run the command {SpecText.Quote(word)}: there is none of that name. {Hint(word, known)}{See(command)}";
        }

        if (result.Errors.Count == 0)
        {
            return null;
        }

        if (command.Subcommands.Count > 0)
        {
            string commands = string.Join(", ", command.Subcommands.Select(static item => item.Name));
            return command == root ? "Cannot run 'kata-runtime': no command was given. " + See(command)
                : $"Cannot run '{NameOf(command)}': it needs one of {commands}. {See(command)}";
        }

        if (result.UnmatchedTokens is [{ } extra, ..])
        {
            string order = extra.StartsWith('-') ? ", and options come before the arguments" : "";
            return $"Cannot use the argument {SpecText.Quote(extra)}: '{NameOf(command)}' takes no more{order}. {See(command)}";
        }

        return Describe(command, result.Errors[0]);
    }

    /// <summary>The words after the executable's name.</summary>
    public static string NameOf(Command command) => command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand
        ? $"{NameOf(parent)} {command.Name}"
        : command.Name;

    private static string Describe(Command command, ParseError error)
    {
        OptionResult? option = error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult;
        if (option is not null)
        {
            string name = option.IdentifierToken?.Value ?? option.Option.Name;
            string form = $"{name} {option.Option.HelpName ?? "VALUE"}";
            if (option.Tokens.Count == 0)
            {
                return $"Cannot use the option '{name}': its value is missing. Give it as '{form}'";
            }

            string[] choices = Choices(option.Option);
            string value = SpecText.Quote(option.Tokens[^1].Value);
            return choices.Length > 0
                ? $"Cannot use the value {value} of '{name}': it is none of those allowed. "
                    + $"Give {string.Join(" or ", choices.Select(static choice => $"'{choice}'"))}"
                : option.Option.ValueType == typeof(bool)
                    ? $"Cannot use the value {value} of '{name}': the option takes none. Leave the value out"
                    : $"Cannot use the value {value} of '{name}': it is not a whole number, or too large. Give it as '{form}'";
        }

        return error.SymbolResult is ArgumentResult { Tokens.Count: 0 } missing
            ? $"Cannot run '{NameOf(command)}': its argument {missing.Argument.Name} is missing. {See(command)}"
            : $"Cannot run '{NameOf(command)}': {error.Message.ReplaceLineEndings(" ").TrimEnd('.')}. {See(command)}";
    }

    /// <summary>The words that an option takes, when they are a fixed few.</summary>
    internal static string[] Choices(Option option) => option.ValueType == typeof(string)
        ? [.. option.GetCompletions(CompletionContext.Empty).Select(static item => item.Label)]
        : [];

    private static string Hint(string word, IEnumerable<string> known) =>
        NearestName.Find(word, known) is { } nearest ? $"Did you mean '{nearest}'? " : "";

    private static string See(Command command) =>
        command is RootCommand ? "See 'kata-runtime --help'" : $"See 'kata-runtime {NameOf(command)} --help'";
}
