using System.CommandLine;
using System.Text.Json;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>state ID</c>: the OCI state as JSON.</summary>
internal static class StateCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var id = new Argument<string>("ID") { Description = "The container" };
        var command = new Command("state", "Print the state of a container as JSON") { id };
        command.SetAction(result =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            var lookup = new ContainerLookup(globals.Directories(result));
            ContainerDocument document = ContainerDocument.Of(lookup.Read(lookup.ResolveToRead(result.GetValue(id)!, "query"), "query"));
            Console.Out.WriteLine(JsonSerializer.Serialize(document, RuntimeJsonContext.Default.ContainerDocument));
            return ExitCodes.Success;
        });
        return command;
    }
}
