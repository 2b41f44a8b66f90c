using System.CommandLine;
using System.Globalization;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary><c>exec ID COMMAND...</c>: an additional process in a running container.</summary>
internal static class ExecCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var id = new Argument<string>("ID") { Description = "The container" };
        var program = new Argument<string[]>("COMMAND")
        {
            Description = "The program and its arguments; options after it are its own",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var options = new ExecOptions();
        var consoleSocket = new Option<string?>("--console-socket")
        {
            Description = "Unix socket to send the program's terminal to, when it has one",
            HelpName = "PATH",
        };
        var console = new Option<string?>("--console")
        {
            Description = "Terminal to use for the program, when it has one, instead of a new one",
            HelpName = "PATH",
        };
        var detach = new Option<bool>("--detach", "-d") { Description = "Return as soon as the program has started" };
        var pidFile = new Option<string?>("--pid-file")
        {
            Description = "Write the id of the host process that stands for the program to this file",
            HelpName = "FILE",
        };
        var ignorePaused = new Option<bool>("--ignore-paused") { Description = "Accept a paused container, and wait until it is resumed" };
        var command = new Command("exec", "Execute a program in a running container")
        {
            id, program, consoleSocket, console, detach, pidFile, ignorePaused,
        };
        var restrictions = new ExecRestrictions();
        options.AddTo(command);
        restrictions.AddTo(command);
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            SandboxDirectories directories = globals.Directories(result);
            var lookup = new ContainerLookup(directories);
            ContainerId container = lookup.Resolve(result.GetValue(id)!, "execute in");
            ContainerState state = lookup.Read(container, "execute in");
            restrictions.Check(result);
            ExecRequest wanted = options.Build(result, result.GetValue(program)!, () => Bundle.Load(state.Bundle).Spec.Process);
            bool foreground = !result.GetValue(detach);
            var request = ConsoleRequest.Of(
                wanted.Process, result.GetValue(consoleSocket), result.GetValue(console) is { Length: > 0 } path ? path : null);
            ConsoleRules.Check(request, detached: !foreground);

            await using PodClient client = lookup.Connect(container, "execute in");
            await client.CheckAliveAsync("execute in the container", container); // a stand-in waits longer for its welcome
            string execId = string.Create(CultureInfo.InvariantCulture, $"exec-{Guid.NewGuid():N}");
            await using ProcessFront front = await ProcessFront.OpenAsync(
                directories.StandInSocket(lookup.Find(container, "execute in")), container, execId, state.RootFs, [], hostname: null,
                network: null, request, foreground);
            await client.ExecAsync(container, execId, wanted, result.GetValue(ignorePaused));
            await client.StartAsync(container, result.GetValue(ignorePaused) ? null : TimeSpan.Zero, execId);
            if (result.GetValue(pidFile) is { } file)
            {
                await ContainerCreator.WritePidFileAsync(file, front.Pid);
            }

            await using ForegroundProcess? running = front.Release();
            return running is null ? ExitCodes.Success : await running.WaitAsync();
        });
        return command;
    }
}
