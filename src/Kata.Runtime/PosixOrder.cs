using System.CommandLine;

namespace Kata.Runtime;

/// <summary>
/// Options end at the first operand, as with runc: in <c>exec ID ls -t</c> the <c>-t</c> belongs to <c>ls</c>. The parser itself
/// takes options anywhere, so a <c>--</c> is put before the first operand of the command.
/// </summary>
internal static class PosixOrder
{
    public static IReadOnlyList<string> Apply(RootCommand root, IReadOnlyList<string> arguments)
    {
        Command command = root;
        var result = new List<string>(arguments);
        for (int i = 0; i < result.Count; i++)
        {
            string word = result[i];
            if (word == "--")
            {
                return result;
            }

            if (word.Length > 1 && word[0] == '-')
            {
                if (TakesNextWord(root, command, word))
                {
                    i++;
                }
            }
            else if (Find(command, word) is { } found)
            {
                command = found;
            }
            else if (command.Subcommands.Count == 0)
            {
                result.Insert(i, "--");
                return result;
            }
            else
            {
                return result; // an unknown command: the parser says so
            }
        }

        return result;
    }

    /// <summary>
    /// The first word that looks like an option and is none of the command's, with that command, or null. The parser would take it for
    /// an argument: <c>create --frobnicate</c> would make a container of that name.
    /// </summary>
    public static (string Name, Command Command)? FindUnknownOption(RootCommand root, string[] arguments)
    {
        Command command = root;
        for (int i = 0; i < arguments.Length && arguments[i] != "--"; i++)
        {
            string word = arguments[i];
            if (word.Length < 2 || word[0] != '-')
            {
                if (Find(command, word) is { } found)
                {
                    command = found;
                    continue;
                }

                return null; // the first argument: what follows is the program's own
            }

            string name = word.Split('=', 2)[0];
            List<Option> known = OptionsOf(root, command);
            bool bundled = name[1] != '-' && name[1..].All(letter => known.Exists(option => Named(option, $"-{letter}")));
            if (!bundled && !known.Exists(option => Named(option, name)))
            {
                return (name, command);
            }

            if (TakesNextWord(root, command, word))
            {
                i++;
            }
        }

        return null;
    }

    /// <summary>The options that may stand after a command; its own come before global ones of the same name.</summary>
    public static List<Option> OptionsOf(RootCommand root, Command command) =>
        command == root ? [.. root.Options] : [.. command.Options, .. root.Options.Where(static option => option.Recursive)];

    private static Command? Find(Command command, string word) =>
        command.Subcommands.FirstOrDefault(sub => sub.Name == word || sub.Aliases.Contains(word));

    private static bool TakesNextWord(RootCommand root, Command command, string word)
    {
        if (word.Contains('=', StringComparison.Ordinal))
        {
            return false;
        }

        List<Option> known = OptionsOf(root, command);
        if (known.Find(option => Named(option, word)) is { } exact)
        {
            return TakesValue(exact);
        }

        // Bundled short options: the first that takes a value takes the rest of the word, and the next word when there is no rest.
        for (int i = 1; i < word.Length && !word.StartsWith("--", StringComparison.Ordinal); i++)
        {
            if (known.Find(option => Named(option, $"-{word[i]}")) is { } match && TakesValue(match))
            {
                return i == word.Length - 1;
            }
        }

        return false;
    }

    private static bool Named(Option option, string name) => option.Name == name || option.Aliases.Contains(name);

    private static bool TakesValue(Option option) => option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool);
}
