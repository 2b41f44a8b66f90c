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
            var lookup = new ContainerLookup(globals.Directories(result));
            ContainerId container = lookup.Resolve(result.GetValue(id)!, "pause");
            await using PodClient client = lookup.Connect(container, "pause");
            await client.PauseAsync(container);
            return ExitCodes.Success;
        });
        return command;
    }
}
