using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>delete ID...</c>.</summary>
internal static class DeleteCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var ids = new Argument<string[]>("ID")
        {
            Description = "Containers that have ended; with --force their whole ids",
            Arity = ArgumentArity.OneOrMore,
        };
        var force = new Option<bool>("--force", "-f") { Description = "Delete also what runs, is half made or does not exist" };
        var command = new Command("delete", "Delete containers and everything that belongs to them") { ids, force };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            var remover = new ContainerRemover(globals.Directories(result));
            var lookup = new ContainerLookup(globals.Directories(result));
            foreach (string text in result.GetValue(ids)!)
            {
                // With --force an id that is gone is no error, so it must never come to mean another's name.
                ContainerId id = result.GetValue(force) ? ContainerId.Parse(text) : lookup.Resolve(text, "delete");
                await remover.RemoveAsync(id, result.GetValue(force));
            }

            return ExitCodes.Success;
        });
        return command;
    }
}
