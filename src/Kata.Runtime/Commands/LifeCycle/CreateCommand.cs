using System.CommandLine;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>create ID</c>.</summary>
internal static class CreateCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var options = new CreateOptions();
        var command = new Command("create", "Create a container, without starting its program") { options.Id };
        options.AddTo(command);
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            await new ContainerCreator(globals, result).CreateAsync(options.Read(result));
            return ExitCodes.Success;
        });
        return command;
    }
}
