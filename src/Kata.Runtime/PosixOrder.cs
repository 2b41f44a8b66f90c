using System.CommandLine;

namespace Kata.Runtime;

/// <summary>
/// Options end at the first operand, as with runc: in <c>exec ID ls -t</c> the <c>-t</c> belongs to <c>ls</c>. The parser itself
/// takes options anywhere, so a <c>--</c> is put before the first operand of the command. Of an option that has one value and is given
/// again the last counts, as with runc; the parser would refuse it, so those before are taken out.
/// </summary>
internal static class PosixOrder
{
    public static IReadOnlyList<string> Apply(RootCommand root, IReadOnlyList<string> arguments)
    {
        Command command = root;
        var result = new List<string>();
        var given = new Dictionary<Option, (int Index, int Length)>(); // in the result
        int next = 0;
        while (next < arguments.Count && arguments[next] != "--")
        {
            string word = arguments[next];
            if (word.Length > 1 && word[0] == '-')
            {
                int length = Math.Min(TakesNextWord(root, command, word) ? 2 : 1, arguments.Count - next);
                Option? named = OptionsOf(root, command).Find(option => Named(option, word.Split('=', 2)[0]));
                if (named is { Arity.MaximumNumberOfValues: <= 1 } option)
                {
                    Forget(option);
                    given[option] = (result.Count, length);
                }

                result.AddRange(arguments.Skip(next).Take(length));
                next += length;
            }
            else if (Find(command, word) is { } found)
            {
                command = found;
                result.Add(word);
                next++;
            }
            else
            {
                if (command.Subcommands.Count == 0) // else an unknown command: the parser says so
                {
                    result.Add("--");
                }

                break;
            }
        }

        return [.. result, .. arguments.Skip(next)];

        void Forget(Option option)
        {
            if (!given.Remove(option, out (int Index, int Length) before))
            {
                return;
            }

            result.RemoveRange(before.Index, before.Length);
            foreach ((Option other, (int index, int length)) in given.Where(item => item.Value.Index > before.Index).ToArray())
            {
                given[other] = (index - before.Length, length);
            }
        }
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
