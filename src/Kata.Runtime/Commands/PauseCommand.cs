using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>pause ID</c>.</summary>
internal static class PauseCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var id = new Argument<string>("ID") { Description = "The container" };
        var command = new Command("pause", "Suspend every process of a container") { id };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            ContainerId container = ContainerId.Parse(result.GetValue(id)!);
            await using PodClient client = new ContainerLookup(globals.Directories(result)).Connect(container, "pause");
            await client.PauseAsync(container);
            return ExitCodes.Success;
        });
        return command;
    }
}
