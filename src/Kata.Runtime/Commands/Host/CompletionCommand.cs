using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Completion;

namespace Kata.Runtime.Commands;

/// <summary><c>completion SHELL</c>: a script that completes commands, options and the ids of containers.</summary>
internal static class CompletionCommand
{
    public static Command Define(RootCommand root)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Print a script that completes command lines in a shell; 'make install' installs all three")
        {
            shell,
        };
        command.SetAction(result =>
        {
            var model = new CompletionModel(root);
            string name = result.GetValue(shell)!;
            Console.Out.Write(name switch
            {
                "bash" => BashScript.Make(model),
                "zsh" => ZshScript.Make(model),
                "fish" => FishScript.Make(model),
                // the parser checks no operand after --
                _ => throw new ArgumentException(
                    $"Cannot make a script for the shell {SpecText.Quote(name)}: it is not known. Name bash, zsh or fish"),
            });
            return ExitCodes.Success;
        });
        return command;
    }
}
