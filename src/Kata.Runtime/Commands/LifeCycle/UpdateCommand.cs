using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>update ID</c>: changes limits of a container that lives.</summary>
internal static class UpdateCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var id = new Argument<string>("ID") { Description = "The container" };
        var options = new UpdateOptions();
        var command = new Command("update", "Change the resource limits of a container") { id };
        options.AddTo(command);
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            var lookup = new ContainerLookup(globals.Directories(result));
            ContainerId container = lookup.Resolve(result.GetValue(id)!, "update");
            LinuxResources change = options.Build(result, Console.OpenStandardInput, Console.Error);
            await using PodClient client = lookup.Connect(container, "update");
            await client.UpdateAsync(container, change);
            return ExitCodes.Success;
        });
        return command;
    }
}
