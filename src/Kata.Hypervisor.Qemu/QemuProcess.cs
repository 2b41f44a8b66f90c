using Kata.Hypervisor.Qemu.Qmp;
using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// A QEMU process in its jail, with its control channel, its console and its messages. Only its end counts as the
/// machine's; console and messages end with it, so they are read to their end first.
/// </summary>
internal sealed class QemuProcess : IAsyncDisposable
{
    /// <summary>How many of QEMU's own messages an error quotes.</summary>
    private const int QuotedMessages = 6;

    /// <summary>A process that is gone closes its streams at once; a limit, as a descriptor that leaked would hold them open.</summary>
    private static readonly TimeSpan s_drainTimeout = TimeSpan.FromSeconds(2);

    private readonly ChildProcess _process;
    private readonly ConsoleLog _console;
    private readonly QemuEvents _events;
    private readonly TimeProvider _time;
    private readonly LineTail _messages = new();
    private readonly TaskCompletionSource<VirtualMachineExit> _exited;
    private volatile bool _stopRequested;
    private volatile string? _lostMonitor;

    private QemuProcess(
        ChildProcess process, QmpConnection monitor, ConsoleLog console, QemuEvents events, TaskCompletionSource<VirtualMachineExit> exited,
        TimeProvider time) =>
        (_process, Monitor, _console, _events, _exited, _time) = (process, monitor, console, events, exited, time);

    public int Id => _process.Pid;

    public QmpConnection Monitor { get; }

    /// <summary>From here on an end is what somebody asked for.</summary>
    public void ExpectEnd() => _stopRequested = true;

    /// <summary>QEMU's last messages, escaped, oldest first.</summary>
    public IReadOnlyList<string> Messages => _messages.Last(QuotedMessages);

    /// <summary>Starts the process and the loops that watch it.</summary>
    /// <param name="jail">What it sees of the host.</param>
    /// <param name="spawn">What to execute, with its descriptors; standard output and error are added. Borrowed.</param>
    /// <param name="channels">Of the monitor and the console: their listeners are closed.</param>
    /// <param name="console">Takes what the guest writes.</param>
    /// <param name="events">Takes what QEMU tells.</param>
    /// <param name="exited">Completes when the process has ended and is reaped; never faults.</param>
    /// <param name="monitorTimeout">How long each control command may take.</param>
    /// <param name="time">Measures limits.</param>
    /// <exception cref="LinuxException">The kernel refused; nothing is left.</exception>
    public static QemuProcess Start(
        JailOptions jail, SpawnOptions spawn, (QemuChannel Monitor, QemuChannel Console) channels, ConsoleLog console, QemuEvents events,
        TaskCompletionSource<VirtualMachineExit> exited, TimeSpan monitorTimeout, TimeProvider time)
    {
        (SafeFileDescriptor ours, SafeFileDescriptor theirs) = Pipe.Create();
        ChildProcess process;
        try
        {
            Dictionary<int, SafeFileDescriptor> descriptors = new(spawn.Descriptors) { [1] = theirs, [2] = theirs };
            process = Jail.Start(jail, spawn with { Descriptors = descriptors });
        }
        catch
        {
            ours.Dispose();
            throw;
        }
        finally
        {
            theirs.Dispose();
            channels.Monitor.Listener.Dispose();
            channels.Console.Listener.Dispose();
        }

        var messages = new DescriptorStream(ours);
        DescriptorStream? consoleStream = null, monitorStream = null;
        try
        {
            // QEMU takes all of them before it answers the first command.
            consoleStream = channels.Console.Open();
            monitorStream = channels.Monitor.Open();
        }
        catch (LinuxException)
        {
            // It has ended already: its messages say why, and its channels are as if closed.
        }

        var monitor = new QmpConnection(monitorStream ?? Stream.Null, events.Observe, monitorTimeout, time);
        var qemu = new QemuProcess(process, monitor, console, events, exited, time);
        // Both end with the process.
        Task streams = Task.WhenAll(qemu._messages.FillAsync(messages), console.FillAsync(consoleStream ?? Stream.Null));
        _ = qemu.WatchAsync(streams); // ends with the process; the result is in exited
        _ = qemu.WatchMonitorAsync(); // ends with the control channel, which ends with the process
        return qemu;
    }

    /// <summary>Waits until it has ended, and kills it when that takes longer than <paramref name="limit"/>.</summary>
    public async Task<VirtualMachineExit> WaitOrKillAsync(TimeSpan limit)
    {
        try
        {
            return await _exited.Task.WaitAsync(limit, _time);
        }
        catch (TimeoutException)
        {
            return await KillAsync();
        }
    }

    /// <summary>Ends it at once.</summary>
    public async Task<VirtualMachineExit> KillAsync()
    {
        _stopRequested = true;
        _process.Kill(Signals.SIGKILL);
        return await _exited.Task;
    }

    /// <summary>Releases what we hold of the process, which has to have ended.</summary>
    public async ValueTask DisposeAsync() => await Monitor.DisposeAsync();

    // A border: whatever happens here, the end is told.
    private async Task WatchAsync(Task streams)
    {
        ExitStatus? status = null;
        try
        {
            status = await _process.Exited;
            await streams.WaitAsync(s_drainTimeout, _time);
            await Monitor.Closed.WaitAsync(s_drainTimeout, _time); // its last words are events: SHUTDOWN, GUEST_PANICKED
        }
        catch (Exception error) when (error is TimeoutException or LinuxException or ObjectDisposedException)
        {
            // Told as far as known.
        }

        _exited.TrySetResult(_lostMonitor is { } lost
            ? new VirtualMachineExit("QEMU", status, lost, Requested: false)
            : QemuExitReason.Describe(
                status, _stopRequested, _events.GuestPanicked, _events.ShutdownReason, _console.Tail(int.MaxValue), Messages));
    }

    // A QEMU that nobody can control or hear is of no use: it ends, and the reason is told. Never faults.
    private async Task WatchMonitorAsync()
    {
        await Monitor.Closed;
        if (_stopRequested)
        {
            return;
        }

        try
        {
            await _process.Exited.WaitAsync(s_drainTimeout, _time); // the usual case: the channel closed as the process ended
        }
        catch (TimeoutException)
        {
            _lostMonitor = $"the control channel of QEMU broke: {PrintableText.Escape(Monitor.Failure?.Message ?? "closed")}";
            _process.Kill(Signals.SIGKILL);
        }
        catch (Exception error) when (error is LinuxException or ObjectDisposedException)
        {
            // Told by WatchAsync.
        }
    }
}
