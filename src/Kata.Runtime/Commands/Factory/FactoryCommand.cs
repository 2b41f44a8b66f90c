using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Kata.Configuration;
using Kata.Linux;
using Kata.Runtime.Factory;
using Kata.Runtime.Hosting;

namespace Kata.Runtime.Commands;

/// <summary><c>factory init|status|destroy|serve</c>: machines that wait for pods.</summary>
internal static class FactoryCommand
{
    public const string Name = "factory";

    /// <summary>Around the boots of all machines.</summary>
    private static readonly TimeSpan s_around = TimeSpan.FromSeconds(60);

    public static Command Define(GlobalOptions globals) =>
        new(Name, "Keep machines ready, so that a pod need not wait for its own to boot")
        {
            Init(globals), Status(globals), Destroy(globals), Serve(globals),
        };

    private static Command Init(GlobalOptions globals)
    {
        var command = new Command("init", "Start 'factory serve' in the background, and return when the pool is full");
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            KataConfiguration configuration = Load(globals, result);
            if (await FactoryEndpoint.AskAsync(configuration.Factory.CacheEndpoint) is null)
            {
                await Children.StartKeeperAsync(
                    ["serve", "--ready", .. Arguments(globals, result)],
                    (configuration.Limits.BootTimeout * configuration.Factory.CacheNumber) + s_around);
            }

            await Console.Out.WriteLineAsync("vm factory initialized");
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Status(GlobalOptions globals)
    {
        var command = new Command("status", "Show who keeps the pool, and the machines that wait");
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            FactoryConfig factory = KataConfiguration.Load(globals.Sources(result)).Factory;
            if (factory.CacheNumber == 0)
            {
                await Console.Out.WriteLineAsync("vm factory or VMCache is not enabled");
                return ExitCodes.Success;
            }

            if (await FactoryEndpoint.AskAsync(factory.CacheEndpoint) is not { } status)
            {
                await Console.Out.WriteLineAsync("vm factory is off");
                return ExitCodes.Success;
            }

            await Console.Out.WriteLineAsync("vm factory is on");
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"VM cache server pid = {status.Pid}"));
            foreach (WaitingMachine machine in status.Machines)
            {
                await Console.Out.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture, $"VM pid = {machine.Pid} Cpu = {machine.Vcpus} Memory = {machine.MemoryMib}MiB"));
            }

            await Console.Out.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"Waiting = {status.Machines.Count} of {status.Wanted}, taken = {status.Claims}, not found = {status.Misses}"));
            if (status.Problem is { } problem)
            {
                await Console.Out.WriteLineAsync($"Problem = {problem}");
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Destroy(GlobalOptions globals)
    {
        var command = new Command("destroy", "End 'factory serve' and the machines that wait; those that pods have live on");
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            FactoryConfig factory = KataConfiguration.Load(globals.Sources(result)).Factory;
            await FactoryEndpoint.StopAsync(factory.CacheEndpoint);
            await PoolKeeper.RemoveLeftoversAsync(factory); // of one that was killed
            if (File.Exists(factory.CacheEndpoint)) // its directory may never have been made
            {
                File.Delete(factory.CacheEndpoint);
            }

            await Console.Out.WriteLineAsync("vm factory destroyed");
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Serve(GlobalOptions globals)
    {
        var ready = new Option<bool>("--ready") { Hidden = true };
        var command = new Command("serve", "Keep the pool full, in the foreground, until it is told to end") { ready };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            Load(globals, result);
            HostReadiness.RequireRoot();
            DescriptorStream? starter = result.GetValue(ready)
                ? new DescriptorStream(new SafeFileDescriptor(Children.ReadyDescriptor))
                : null;
            using var keeper = new PoolKeeper(
                globals.Sources(result), Arguments(globals, result), log.Log, TimeProvider.System);
            using PosixSignalRegistration terminate = StopOn(PosixSignal.SIGTERM, keeper);
            using PosixSignalRegistration interrupt = StopOn(PosixSignal.SIGINT, keeper);
            await keeper.RunAsync(async problem =>
            {
                await TellAsync(starter, problem);
                if (starter is not null && problem is not null)
                {
                    keeper.Stop(); // whoever started us has failed by it
                }
            });
            return ExitCodes.Success;
        });
        return command;
    }

    private static PosixSignalRegistration StopOn(PosixSignal signal, PoolKeeper keeper) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            keeper.Stop();
        });

    private static async Task TellAsync(DescriptorStream? starter, string? problem)
    {
        if (starter is not null)
        {
            await using (starter)
            {
                await starter.WriteAsync(System.Text.Encoding.UTF8.GetBytes(problem is null ? "ready\n" : problem));
            }
        }
        else if (problem is not null)
        {
            await Console.Error.WriteLineAsync($"kata-runtime: warning: {problem}");
        }
    }

    private static KataConfiguration Load(GlobalOptions globals, ParseResult result)
    {
        KataConfiguration configuration = KataConfiguration.Load(globals.Sources(result));
        return configuration.Factory.CacheNumber > 0 ? configuration : throw new ArgumentException(
            "Cannot keep machines ready 'here': vm factory or VMCache is not enabled. "
            + "Set vm_cache_number in the table [factory] of the configuration");
    }

    private static List<string> Arguments(GlobalOptions globals, ParseResult result)
    {
        List<string> arguments = ["--log-format", result.GetValue(globals.LogFormat)!];
        if (result.GetValue(globals.Log) is { Length: > 0 } log)
        {
            arguments.AddRange(["--log", Path.GetFullPath(log)]);
        }

        if (globals.Sources(result).ExplicitPath is { } path)
        {
            arguments.AddRange(["--kata-config", path]);
        }

        if (result.GetValue(globals.Debug))
        {
            arguments.Add("--debug");
        }

        return arguments;
    }
}
