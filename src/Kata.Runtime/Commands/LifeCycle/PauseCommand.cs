using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>pause ID</c> and <c>resume ID</c>.</summary>
internal static class PauseCommand
{
    public static Command Define(GlobalOptions globals) =>
        Define(globals, "pause", "Suspend every process of a container", static (client, container) => client.PauseAsync(container));

    public static Command DefineResume(GlobalOptions globals) =>
        Define(globals, "resume", "Let a paused container go on", static (client, container) => client.ResumeAsync(container));

    private static Command Define(GlobalOptions globals, string name, string description, Func<PodClient, ContainerId, Task> call)
    {
        var id = new Argument<string>("ID") { Description = "The container" };
        var command = new Command(name, description) { id };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            var lookup = new ContainerLookup(globals.Directories(result));
            ContainerId container = lookup.Resolve(result.GetValue(id)!, name);
            await using PodClient client = lookup.Connect(container, name);
            await call(client, container);
            return ExitCodes.Success;
        });
        return command;
    }
}
