using System.CommandLine;
using System.Globalization;
using System.Text;
using Kata.Runtime.Completion;
using Kata.Sandbox;

namespace Kata.Runtime.Manual;

/// <summary>Manual pages (man(7)) out of the definitions that <c>--help</c> prints.</summary>
internal static class ManualPage
{
    /// <summary>Every page by its file's name.</summary>
    public static IEnumerable<(string File, string Text)> All(RootCommand root)
    {
        yield return ("kata-runtime.8", OfRoot(root));
        foreach (Command command in CompletionModel.Visible(root))
        {
            yield return ($"kata-runtime-{command.Name}.8", Of(root, command));
        }
    }

    private static string OfRoot(RootCommand root)
    {
        StringBuilder text = Begin("kata-runtime", root.Description!);
        text.Append(".SH SYNOPSIS\n.B kata-runtime\n[\\fIoptions\\fR] \\fICOMMAND\\fR [\\fIoptions\\fR] [\\fIarguments\\fR]\n");
        text.Append(".SH DESCRIPTION\n");
        text.Append("An OCI runtime with the command line of \\fBrunc\\fR(8). Each pod is a virtual machine of its own.\n");
        text.Append("Options end at the first argument of a command; what follows belongs to the program in the container.\n");
        text.Append(
            ".PP\nWhere \\fBstate\\fR, \\fBps\\fR and \\fBevents\\fR take the id of a container, an unambiguous beginning of it will do; ");
        text.Append("the other commands want the whole id, or the name that the container's engine gave it.\n");
        text.Append(".SH COMMANDS\n");
        foreach (Command command in CompletionModel.Visible(root))
        {
            Tagged(text, $"\\fB{Escape(command.Name)}\\fR{Operands(command)}", command.Description!);
        }

        Options(text, "OPTIONS", root.Options);
        text.Append(".SH FILES\n");
        Tagged(text, "/run/kata", "State of all pods, unless --root names another place");
        Tagged(
            text,
            "/etc/kata-containers/configuration.toml",
            "The configuration, with more of it in config.d/*.toml beside it; see 'kata-runtime config show --origin'");
        Status(text);
        text.Append(".SH SEE ALSO\n");
        text.AppendJoin("", CompletionModel.Visible(root).Select(static command => $".BR kata\\-runtime\\-{Escape(command.Name)} (8),\n"))
            .Append(".BR runc (8)\n");
        return text.ToString();
    }

    private static string Of(RootCommand root, Command command)
    {
        StringBuilder text = Begin($"kata-runtime-{command.Name}", command.Description!);
        text.Append(".SH SYNOPSIS\n");
        List<Command> subcommands = [.. CompletionModel.Visible(command)];
        text.AppendJoin(".br\n", (subcommands.Count > 0 ? subcommands : [command]).Select(
            static form => $".B kata-runtime {Escape(UsageError.NameOf(form))}\n[\\fIoptions\\fR]{Operands(form)}\n"));

        text.Append(CultureInfo.InvariantCulture, $".SH DESCRIPTION\n{Line(command.Description!)}.\n");
        if (command.Aliases.Count > 0)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $".PP\nAlso called {string.Join(", ", command.Aliases.Select(static name => $"\\fB{Escape(name)}\\fR"))}.\n");
        }

        foreach (Argument argument in command.Arguments)
        {
            Tagged(text, $"\\fI{Escape(argument.Name)}\\fR", argument.Description!);
        }

        Options(text, "OPTIONS", command.Options);
        foreach (Command sub in subcommands)
        {
            text.Append(CultureInfo.InvariantCulture, $".SS {Escape(sub.Name)}\n{Line(sub.Description!)}.\n");
            foreach (Argument argument in sub.Arguments)
            {
                Tagged(text, $"\\fI{Escape(argument.Name)}\\fR", argument.Description!);
            }

            Tagged(text, sub.Options);
        }

        Options(text, "GLOBAL OPTIONS", root.Options.Where(static option => option.Recursive));
        Status(text);
        text.Append(".SH SEE ALSO\n.BR kata-runtime (8)\n");
        return text.ToString();
    }

    // Without a date: the same sources give the same bytes.
    private static StringBuilder Begin(string name, string description) => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $".TH {name.ToUpperInvariant()} 8 \"\" \"kata-runtime {RuntimeVersion.Number}\" \"Kata\"\n")
        .Append(
            CultureInfo.InvariantCulture,
            $".SH NAME\n{Escape(name)} \\- {Escape(char.ToLowerInvariant(description[0]) + description[1..])}\n");

    private static void Status(StringBuilder text) => text.Append(
        ".SH EXIT STATUS\n"
        + "0 on success, 1 on any failure, with its text on standard error; 255 on one of \\fBexec\\fR. "
        + "\\fBexec\\fR and a \\fBrun\\fR in the\n"
        + "foreground end with the program's status: 127 when it was not found, 126 when it cannot be executed, "
        + "255 when the virtual machine was lost.\n");

    private static void Options(StringBuilder text, string heading, IEnumerable<Option> options)
    {
        Option[] visible = [.. options.Where(static option => !option.Hidden)];
        if (visible.Length > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $".SH {heading}\n");
            Tagged(text, visible);
        }
    }

    private static void Tagged(StringBuilder text, IEnumerable<Option> options)
    {
        foreach (Option option in options.Where(static option => !option.Hidden))
        {
            string names = string.Join(", ", CompletionModel.NamesOf(option).Reverse().Select(static name => $"\\fB{Escape(name)}\\fR"));
            string value = CompletionModel.TakesValue(option) ? $" \\fI{Escape(option.HelpName ?? "VALUE")}\\fR" : "";
            string[] choices = UsageError.Choices(option);
            string allowed = choices.Length > 0 ? $" ({string.Join(", ", choices)})" : "";
            Tagged(text, names + value, option.Description + allowed);
        }
    }

    private static void Tagged(StringBuilder text, string tag, string description) =>
        text.Append(CultureInfo.InvariantCulture, $".TP\n{(tag[0] == '/' ? Escape(tag) : tag)}\n{Line(description)}\n");

    private static string Operands(Command command) => string.Concat(command.Arguments.Select(static argument =>
    {
        string name = $"\\fI{Escape(argument.Name)}\\fR" + (argument.Arity.MaximumNumberOfValues > 1 ? "..." : "");
        return argument.Arity.MinimumNumberOfValues == 0 ? $" [{name}]" : $" {name}";
    }));

    // A line of text: a dot or an apostrophe at its beginning would be a request.
    private static string Line(string text) => (text[0] is '.' or '\'' ? "\\&" : "") + Escape(text);

    private static string Escape(string text) =>
        text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
}
