using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Kata.Runtime;

/// <summary>
/// The parser's help, with the usage in the order that we take words in: options end at the first operand (<see cref="PosixOrder"/>),
/// and whoever followed the parser's own line, options last, would see them taken for operands.
/// </summary>
internal sealed class OrderedHelp(HelpAction help) : SynchronousCommandLineAction
{
    private const string Options = " [options]";

    /// <summary>Longer lines are broken; the terminal's width unless set.</summary>
    public int MaxWidth { get => help.MaxWidth; set => help.MaxWidth = value; }

    /// <summary>Whoever asks for help need not have given the operands.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        TextWriter output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter();
        parseResult.InvocationConfiguration.Output = text;
        int status = help.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        output.Write(Reorder(text.ToString(), parseResult.CommandResult.Command));
        return status;
    }

    private static string Reorder(string text, Command command)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        int usage = Array.FindIndex(lines, static line => line.EndsWith(Options, StringComparison.Ordinal));
        if (usage >= 0)
        {
            string words = lines[usage][..^Options.Length];
            int end = command is RootCommand
                ? words.IndexOf(" [", StringComparison.Ordinal)
                : words.IndexOf($" {command.Name}", StringComparison.Ordinal) + command.Name.Length + 1;
            lines[usage] = $"{words[..end]}{Options}{words[end..]}".Replace("[command]", "<COMMAND>", StringComparison.Ordinal);
        }

        return string.Join('\n', lines);
    }
}
