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
        var warm = new Option<bool>("--warm");
        var containerd = new ContainerdServiceOptions();
        var command = new Command(Name, "Serve one pod") { sandbox, check, strict, warm };
        containerd.AddTo(command);
        command.Hidden = true;
        command.SetAction((result, cancellationToken) =>
        {
            var pod = SandboxId.Parse(result.GetValue(sandbox)!);
            return result.GetValue(warm) ? RunWarmAsync(globals, result, pod, cancellationToken) : RunAsync(
                globals, result, pod, result.GetValue(check), result.GetValue(strict), containerd.Read(result), cancellationToken);
        });
        return command;
    }

    // What else there is to know comes with the claim.
    private static async Task<int> RunWarmAsync(
        GlobalOptions globals, ParseResult result, SandboxId sandbox, CancellationToken cancellationToken)
    {
        using RecordLog log = globals.OpenLog(result, Name, sandbox.Value);
        _ = LibC.umask(OpenUmask);
        using var starterMounts = new SafeFileDescriptor(Children.MountNamespaceDescriptor);
        using var podLock = new SafeFileDescriptor(Children.PodLockDescriptor);
        await using var ready = new DescriptorStream(new SafeFileDescriptor(Children.ReadyDescriptor));
        await using var keeper = new DescriptorStream(new SafeFileDescriptor(Children.KeeperDescriptor));
        var options = new ServiceOptions
        {
            Root = globals.Directories(result).Root,
            Sandbox = sandbox,
            Configuration = globals.Sources(result),
            PodLock = podLock,
        };
        await WarmService.RunAsync(options, log, ready, keeper, cancellationToken);
        return ExitCodes.Success;
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
