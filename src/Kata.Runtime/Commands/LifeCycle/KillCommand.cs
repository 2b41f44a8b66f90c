using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>kill ID [SIGNAL]</c>.</summary>
internal static class KillCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var id = new Argument<string>("ID") { Description = "The container" };
        var signal = new Argument<string>("SIGNAL")
        {
            Description = "Name or number of the signal",
            DefaultValueFactory = static _ => "SIGTERM",
        };
        var all = new Option<bool>("--all", "-a") { Description = "Send it to every process of the container, not only the first" };
        var command = new Command("kill", "Send a signal to a container") { id, signal, all };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            // 0 is no signal, only the question whether there is anything to send one to: kill(2).
            int number = result.GetValue(signal) is "0" ? 0 : Signal.Parse(result.GetValue(signal)!).Number;
            var lookup = new ContainerLookup(globals.Directories(result));
            ContainerId container = lookup.Resolve(result.GetValue(id)!, "signal");
            await using PodClient client = lookup.Connect(container, "signal");
            await client.KillAsync(container, (uint)number, result.GetValue(all));
            return ExitCodes.Success;
        });
        return command;
    }
}
