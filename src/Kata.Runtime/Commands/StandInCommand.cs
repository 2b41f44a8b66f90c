using System.CommandLine;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Runtime.Hosting;
using Kata.Service;

namespace Kata.Runtime.Commands;

/// <summary><c>stand-in</c>: the tiny process that stands for a detached container or exec. Hidden: started by create, run and exec.</summary>
internal static class StandInCommand
{
    public static Command Define()
    {
        var socket = new Option<string>("--socket") { Required = true };
        var container = new Option<string>("--container") { Required = true };
        var execId = new Option<string>("--exec-id") { DefaultValueFactory = static _ => "" };
        var terminal = new Option<bool>("--terminal");
        var rootFs = new Option<string>("--rootfs") { Required = true };
        var command = new Command("stand-in", "Stand for a process in the guest") { socket, container, execId, terminal, rootFs };
        command.Hidden = true;
        command.SetAction((result, _) => RunAsync(
            result.GetValue(socket)!, result.GetValue(container)!, result.GetValue(execId)!, result.GetValue(terminal), result.GetValue(rootFs)!));
        return command;
    }

    private static async Task<int> RunAsync(string socket, string container, string execId, bool terminal, string rootFs)
    {
        SafeFileDescriptor[] streams = [new(0, ownsHandle: false), new(1, ownsHandle: false), new(2, ownsHandle: false)];
        if (terminal)
        {
            TakeTerminal(streams[0]);
        }

        await using StandIn standIn = await StandIn.ConnectAsync(socket, container, execId, terminal ? streams[0] : null, streams, detached: true, CancellationToken.None);
        ContainerView.Enter(rootFs);
        standIn.ForwardSignals();
        await using (var ready = new DescriptorStream(new SafeFileDescriptor(Children.ReadyDescriptor)))
        {
            await ready.WriteAsync("ready\n"u8.ToArray());
        }

        return (await standIn.WaitAsync(CancellationToken.None)).Status;
    }

    // We lead a session (setsid) without a terminal: taking this one is what makes its resizes reach us as SIGWINCH. One that --console
    // names may be another session's already (EPERM, ioctl_tty(2)): then only its size at the start is known.
    private static void TakeTerminal(SafeFileDescriptor terminal)
    {
        if (LibC.ioctl_int(terminal, LibC.TIOCSCTTY, 0) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("ioctl(TIOCSCTTY)", "take the terminal");
            if (error.Errno != Errno.EPERM)
            {
                throw error;
            }
        }
    }
}
