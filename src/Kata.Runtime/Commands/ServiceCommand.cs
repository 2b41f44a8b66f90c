using System.CommandLine;
using Kata.Linux;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Service;
using Microsoft.Extensions.Logging;

namespace Kata.Runtime.Commands;

/// <summary><c>service</c>: the process of one pod. Hidden: started by create and run, in a mount namespace of its own.</summary>
internal static class ServiceCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var sandbox = new Option<string>("--sandbox") { Required = true };
        var command = new Command("service", "Serve one pod") { sandbox };
        command.Hidden = true;
        command.SetAction((result, _) => RunAsync(globals, result, SandboxId.Parse(result.GetValue(sandbox)!)));
        return command;
    }

    private static async Task<int> RunAsync(GlobalOptions globals, ParseResult result, SandboxId sandbox)
    {
        using RecordLog log = RecordLog.Open(
            result.GetValue(globals.Log),
            globals.FormatOf(result),
            result.GetValue(globals.Debug) ? LogLevel.Debug : LogLevel.Information,
            TimeProvider.System,
            "service",
            sandbox.Value,
            null);
        using var callerMounts = new SafeFileDescriptor(Children.MountNamespaceDescriptor);
        using var podLock = new SafeFileDescriptor(Children.PodLockDescriptor);
        await using var ready = new DescriptorStream(new SafeFileDescriptor(Children.ReadyDescriptor));
        var options = new ServiceOptions
        {
            Root = globals.Directories(result).Root,
            Sandbox = sandbox,
            Configuration = globals.Sources(result),
            CallerMountNamespace = callerMounts,
            PodLock = podLock,
        };
        await ServiceProcess.RunAsync(options, log, ready);
        return ExitCodes.Success;
    }
}
