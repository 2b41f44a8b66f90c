using System.CommandLine;
using System.Globalization;
using Kata.Agent.Protocol.Extension;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Runtime.Processes;

namespace Kata.Runtime.Commands;

/// <summary><c>ps ID [PS-OPTION...]</c>: what runs in a container, as the container numbers it.</summary>
internal static class PsCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var id = new Argument<string>("ID") { Description = "The container" };
        var options = new Argument<string[]>("PS-OPTION")
        {
            Description = "Options of ps(1): -e, -f, -o LIST, -p PIDS, aux and others",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var format = new Option<string>("--format", "-f")
        {
            Description = "Form of the list: table, or json for the pids on the host",
            HelpName = "FORMAT",
            DefaultValueFactory = static _ => "table",
        };
        format.AcceptOnlyFromAmong("table", "json");
        var command = new Command("ps", "List the processes of a container") { id, options, format };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            PsFormat columns = PsFormat.Parse(result.GetValue(options)!);
            var lookup = new ContainerLookup(globals.Directories(result));
            ContainerId container = lookup.ResolveToRead(result.GetValue(id)!, "list the processes of");
            await using PodClient client = lookup.Connect(container, "list the processes of");
            IReadOnlyList<GuestProcess> processes = await client.ListProcessesAsync(container);
            if (result.GetValue(format) == "json")
            {
                // Engines look these numbers up on the host (docker top): there, one process stands for all of the container's.
                int standIn = lookup.Read(container, "list the processes of").Pid;
                await Console.Out.WriteLineAsync(processes.Count == 0 ? "[]" : string.Create(CultureInfo.InvariantCulture, $"[{standIn}]"));
            }
            else
            {
                await Console.Out.WriteAsync(columns.Render(processes, TimeProvider.System.GetLocalNow()));
            }

            return ExitCodes.Success;
        });
        return command;
    }
}
