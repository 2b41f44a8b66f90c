using System.CommandLine;
using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Runtime.Hosting;
using Kata.Service;

namespace Kata.Runtime.Commands;

/// <summary><c>stand-in</c>: the tiny process that stands for a detached container or exec. Hidden: for create, run and exec.</summary>
internal static class StandInCommand
{
    public const string Name = "stand-in";

    /// <summary>For a reader to take what it was sent before, so that the reason of an end fits in.</summary>
    private static readonly TimeSpan s_explainTimeout = TimeSpan.FromSeconds(1);

    public static Command Define()
    {
        var socket = new Option<string>("--socket") { Required = true };
        var container = new Option<string>("--container") { Required = true };
        var execId = new Option<string>("--exec-id") { DefaultValueFactory = static _ => "" };
        var terminal = new Option<bool>("--terminal");
        var rootFs = new Option<string>("--rootfs") { Required = true };
        var hostname = new Option<string>("--hostname") { DefaultValueFactory = static _ => "" };
        var mounts = new Argument<string[]>("MOUNTS") { Arity = ArgumentArity.ZeroOrMore };
        var command = new Command(Name, "Stand for a process in the guest")
        {
            socket, container, execId, terminal, rootFs, hostname, mounts,
        };
        command.Hidden = true;
        command.SetAction((result, _) => RunAsync(
            result.GetValue(socket)!, result.GetValue(container)!, result.GetValue(execId)!, result.GetValue(terminal),
            result.GetValue(rootFs)!, ViewedMount.Parse(result.GetValue(mounts)!), result.GetValue(hostname)!));
        return command;
    }

    private static async Task<int> RunAsync(
        string socket, string container, string execId, bool terminal, string rootFs, IReadOnlyList<ViewedMount> mounts, string hostname)
    {
        SafeFileDescriptor[] streams = [new(0, ownsHandle: false), new(1, ownsHandle: false), new(2, ownsHandle: false)];
        // Opened now: in the container's root file system there may be none.
        using SafeFileDescriptor nothing = LinuxException.ThrowIfInvalid(
            LibC.open("/dev/null", LibC.O_RDWR | LibC.O_CLOEXEC, 0), "open", "open '/dev/null'");
        await using StandIn? standIn = await BeginAsync(
            socket, container, execId, terminal, () => EnterView(rootFs, mounts, hostname), streams);
        if (standIn is null)
        {
            return ExitCodes.Failure;
        }

        // The service has them. Whoever reads what the program writes must see the end when the program and the service have closed it, as
        // in 'x=$(kata-runtime run -d ...)'. Standard error is kept for as long as the program does, to say in it why the container ended.
        if (!terminal)
        {
            Close(streams[0], nothing);
            Close(streams[1], nothing);
        }

        (int status, string? reason) = await standIn.WaitAsync(() => Close(streams[2], nothing), CancellationToken.None);
        if (reason is not null)
        {
            await ExplainAsync(streams[2], status, reason);
        }

        return status;
    }

    // Afterwards it only waits, in a root that the guest can write to: it needs no right of the host's for that.
    private static void EnterView(string rootFs, IReadOnlyList<ViewedMount> mounts, string hostname)
    {
        ContainerView.Enter(rootFs, mounts, hostname);
        Credentials.BecomeNobody();
    }

    // Tells the command that started us that all is well, or what is not, which it prints: our standard error is the container's.
    private static async Task<StandIn?> BeginAsync(
        string socket, string container, string execId, bool terminal, Action enterView, SafeFileDescriptor[] streams)
    {
        await using var ready = new DescriptorStream(new SafeFileDescriptor(Children.ReadyDescriptor));
        StandIn? standIn = null;
        try
        {
            if (terminal)
            {
                TakeTerminal(streams[0]);
            }

            standIn = await StandIn.ConnectAsync(
                socket, container, execId, terminal ? streams[0] : null, terminal ? [streams[0]] : streams, plainNewlines: false,
                detached: true, CancellationToken.None);
            enterView();
            standIn.ForwardSignals();
            await ready.WriteAsync("ready\n"u8.ToArray());
            return standIn;
        }
        catch (Exception error) // a border
        {
            if (standIn is not null)
            {
                await standIn.DisposeAsync();
            }

            await ready.WriteAsync(Encoding.UTF8.GetBytes(ExitCodes.TextOf(error)));
            return null;
        }
    }

    // The number stays taken. What dup2(2) could refuse it for cannot be so here, and would be no reason to end.
    private static void Close(SafeFileDescriptor stream, SafeFileDescriptor nothing) => _ = LibC.dup2(nothing, stream.Number);

    // Where the container's own errors go, as an engine shows nothing else of ours: it comes with 'podman logs' and 'docker logs'. A
    // reader that takes nothing must not keep us; a pipe that can be written takes 4 KiB, and a reason is shorter.
    private static async Task ExplainAsync(SafeFileDescriptor error, int status, string reason)
    {
        byte[] text = Encoding.UTF8.GetBytes($"kata-runtime: the container ended with status {status}: {reason}\n");
        using var limit = new CancellationTokenSource(s_explainTimeout);
        try
        {
            await WaitWritableAsync(error, limit.Token);
            DescriptorWriter.Write(error, text, "say why the container ended");
        }
        catch (Exception failure) when (failure is LinuxException or IOException or OperationCanceledException)
        {
            // Nobody reads it, or its disk is full.
        }
    }

    private static async Task WaitWritableAsync(SafeFileDescriptor descriptor, CancellationToken cancellationToken)
    {
        try
        {
            using var polled = new PolledDescriptor(descriptor.Duplicate());
            await polled.WaitWritableAsync(cancellationToken);
        }
        catch (LinuxException error) when (error.Errno == Errno.EPERM)
        {
            // A file: it is always.
        }
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
