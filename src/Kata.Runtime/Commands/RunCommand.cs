using System.CommandLine;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>run ID</c>: create, start, and in the foreground wait and delete.</summary>
internal static class RunCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var options = new CreateOptions();
        var detach = new Option<bool>("--detach", "-d") { Description = "Return as soon as the program has started" };
        var keep = new Option<bool>("--keep") { Description = "Do not delete the container after its program has ended" };
        var noSubreaper = new Option<bool>("--no-subreaper") { Description = "Accepted and ignored: processes are reaped in the guest" };
        var command = new Command("run", "Create and start a container; wait for its end and delete it, unless detached") { options.Id };
        options.AddTo(command);
        command.Options.Add(detach);
        command.Options.Add(keep);
        command.Options.Add(noSubreaper);
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            return await RunAsync(globals, result, options.Read(result, !result.GetValue(detach)), result.GetValue(keep));
        });
        return command;
    }

    private static async Task<int> RunAsync(GlobalOptions globals, ParseResult result, CreateRequest request, bool keep)
    {
        await using ForegroundProcess? process = await new ContainerCreator(globals, result).CreateAsync(request);
        var remover = new ContainerRemover(globals.Directories(result));
        try
        {
            var lookup = new ContainerLookup(globals.Directories(result));
            await using PodClient client = lookup.Connect(request.Id, "start");
            await client.StartAsync(request.Id, ContainerLookup.LimitOfStartHooks(lookup.Read(request.Id, "start")));
        }
        catch
        {
            await remover.RemoveAsync(request.Id, force: true);
            throw;
        }

        if (process is null)
        {
            return ExitCodes.Success;
        }

        int status = await process.WaitAsync();
        if (!keep)
        {
            await remover.RemoveAsync(request.Id, force: true);
        }

        return status;
    }
}
