using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary><c>start ID...</c>.</summary>
internal static class StartCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var ids = new Argument<string[]>("ID")
        {
            Description = "Containers that were created and not started",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("start", "Start the program of created containers") { ids };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            SandboxDirectories directories = globals.Directories(result);
            var lookup = new ContainerLookup(directories);
            foreach (string text in result.GetValue(ids)!)
            {
                ContainerId id = lookup.Resolve(text, "start");
                await using PodClient client = lookup.Connect(id, "start");
                ContainerState state = lookup.Read(id, "start");
                using var report = ReadinessReport.Begin(directories, lookup.Find(id, "start"), state);
                await client.StartAsync(id, ContainerLookup.LimitOfStartHooks(state));
                await (report?.TellAsync(client.WaitAsync(id)) ?? Task.CompletedTask);
            }

            return ExitCodes.Success;
        });
        return command;
    }
}
