using System.CommandLine;
using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Service;

namespace Kata.Runtime.Commands;

/// <summary><c>service</c>: the process of one pod. Hidden: started by create and run, in a mount namespace of its own.</summary>
internal static class ServiceCommand
{
    /// <summary>What a jail and a share are made of must be open to the users in them, whatever our caller's mask is.</summary>
    private const uint OpenUmask = FileModes.OthersReadMask;

    public const string Name = "service";

    public static Command Define(GlobalOptions globals)
    {
        var sandbox = new Option<string>("--sandbox") { Required = true };
        var check = new Option<bool>("--check");
        var strict = new Option<bool>("--strict");
        var containerd = new ContainerdServiceOptions();
        var command = new Command(Name, "Serve one pod") { sandbox, check, strict };
        containerd.AddTo(command);
        command.Hidden = true;
        command.SetAction((result, cancellationToken) =>
        {
            var pod = SandboxId.Parse(result.GetValue(sandbox)!);
            return RunAsync(
                globals, result, pod, result.GetValue(check), result.GetValue(strict), containerd.Read(result), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        GlobalOptions globals, ParseResult result, SandboxId sandbox, bool check, bool strict, ContainerdOptions? containerd,
        CancellationToken cancellationToken)
    {
        using RecordLog log = globals.OpenLog(result, Name, sandbox.Value);
        uint callerUmask = LibC.umask(OpenUmask);
        using var callerMounts = new SafeFileDescriptor(Children.MountNamespaceDescriptor);
        using var podLock = new SafeFileDescriptor(Children.PodLockDescriptor);
        await using var ready = new DescriptorStream(new SafeFileDescriptor(Children.ReadyDescriptor));
        var options = new ServiceOptions
        {
            Root = globals.Directories(result).Root,
            Sandbox = sandbox,
            Configuration = globals.Sources(result),
            CallerMountNamespace = callerMounts,
            CallerUmask = callerUmask,
            PodLock = podLock,
            Containerd = containerd,
        };
        if (check)
        {
            await ready.WriteAsync(
                Encoding.UTF8.GetBytes(await BootCheck.RunAsync(options, strict, log, cancellationToken)), cancellationToken);
            return ExitCodes.Success;
        }

        await ServiceProcess.RunAsync(options, log, ready);
        return ExitCodes.Success;
    }
}
