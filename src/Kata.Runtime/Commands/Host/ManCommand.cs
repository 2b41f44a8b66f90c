using System.CommandLine;
using Kata.Runtime.Manual;

namespace Kata.Runtime.Commands;

/// <summary><c>man</c>: writes the manual pages that <c>make install</c> installs. Hidden: it is a build step.</summary>
internal static class ManCommand
{
    public static Command Define(RootCommand root)
    {
        var directory = new Option<string>("--output")
        {
            Description = "Directory to write the pages to",
            HelpName = "DIR",
            Required = true,
        };
        var command = new Command("man", "Write the manual pages") { directory };
        command.Hidden = true;
        command.SetAction(result =>
        {
            string target = Directory.CreateDirectory(result.GetValue(directory)!).FullName;
            foreach ((string file, string text) in ManualPage.All(root))
            {
                File.WriteAllText(Path.Combine(target, file), text);
            }

            return ExitCodes.Success;
        });
        return command;
    }
}
