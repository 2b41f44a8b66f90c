using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>resume ID</c>.</summary>
internal static class ResumeCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var id = new Argument<string>("ID") { Description = "The container" };
        var command = new Command("resume", "Let a paused container go on") { id };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            var lookup = new ContainerLookup(globals.Directories(result));
            ContainerId container = lookup.Resolve(result.GetValue(id)!, "resume");
            await using PodClient client = lookup.Connect(container, "resume");
            await client.ResumeAsync(container);
            return ExitCodes.Success;
        });
        return command;
    }
}
