using System.CommandLine;
using Kata.Runtime.Hosting;
using Kata.Sandbox;

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
        SandboxDirectories directories = globals.Directories(result);
        var remover = new ContainerRemover(directories);
        ReadinessReport? report = null;
        try
        {
            var lookup = new ContainerLookup(directories);
            await using PodClient client = lookup.Connect(request.Id, "start");
            ContainerState state = lookup.Read(request.Id, "start");
            report = ReadinessReport.Begin(directories, lookup.Find(request.Id, "start"), state);
            await client.StartAsync(request.Id, ContainerLookup.LimitOfStartHooks(state));
            if (process is null)
            {
                await (report?.TellAsync(client.WaitAsync(request.Id)) ?? Task.CompletedTask);
            }
        }
        catch
        {
            report?.Dispose();
            await remover.RemoveAsync(request.Id, force: true);
            throw;
        }

        using (report)
        {
            return process is null
                ? ExitCodes.Success
                : await WaitAsync(process, report, keep ? null : () => remover.RemoveAsync(request.Id, force: true));
        }
    }

    private static async Task<int> WaitAsync(ForegroundProcess process, ReadinessReport? report, Func<Task>? remove)
    {
        Task<int> ended = process.WaitAsync();
        await (report?.TellAsync(ended) ?? Task.CompletedTask);
        int status = await ended;
        await (remove?.Invoke() ?? Task.CompletedTask);
        return status;
    }
}
