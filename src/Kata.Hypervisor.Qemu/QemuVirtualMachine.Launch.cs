using Kata.Hypervisor.Qemu.Qmp;
using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

internal sealed partial class QemuVirtualMachine
{
    // Makes the channels, starts the process in its jail and the loops that watch it. Whatever fails, nothing is left.
    private void Launch()
    {
        var owned = new List<IDisposable>(); // what this method made and nobody has taken over yet
        try
        {
            (SafeFileDescriptor monitorOurs, SafeFileDescriptor monitorTheirs) = Track(owned, UnixSocket.Pair());
            (SafeFileDescriptor consoleOurs, SafeFileDescriptor consoleTheirs) = Track(owned, UnixSocket.Pair());
            (SafeFileDescriptor messagesOurs, SafeFileDescriptor messagesTheirs) = Track(owned, Pipe.Create());
            var numbers = new QemuDescriptors();
            Dictionary<int, SafeFileDescriptor> descriptors = new()
            {
                [1] = messagesTheirs,
                [2] = messagesTheirs,
                [numbers.Monitor] = monitorTheirs,
                [numbers.Console] = consoleTheirs,
            };
            SafeFileDescriptor? agentOurs = null;
            if (_config.AgentTransport == AgentTransport.Vsock)
            {
                _vsock = VhostVsock.Open();
                _vsockListener = VsockListener.Listen();
                descriptors[numbers.Agent] = _vsock.Device;
                numbers = numbers with { VsockContextId = _vsock.ContextId, VsockPort = _vsockListener.Port };
            }
            else
            {
                (agentOurs, descriptors[numbers.Agent]) = Track(owned, UnixSocket.Pair());
            }

            if (_entropy is not null)
            {
                numbers = numbers with { Entropy = numbers.FirstSharedFilesystem + _config.SharedFilesystems.Count };
                descriptors[numbers.Entropy] = _entropy;
            }

            for (int i = 0; i < _config.SharedFilesystems.Count; i++)
            {
                descriptors[numbers.FirstSharedFilesystem + i] = _resources.SharedFilesystemSockets[_config.SharedFilesystems[i].Tag];
            }

            _process = StartJailed(QemuCommandLine.Build(_config, numbers), descriptors);
            _monitor = new QmpConnection(Release(owned, monitorOurs), _events.Observe, _config.MonitorTimeout, _time);
            _agentStream = agentOurs is null ? null : Release(owned, agentOurs);
            Task console = Console.FillAsync(Release(owned, consoleOurs)); // both end with the process
            Task messages = _messages.FillAsync(Release(owned, messagesOurs));
            _ = WatchAsync(_process, Task.WhenAll(console, messages)); // ends with the process; the result is Exited
            _ = WatchMonitorAsync(_process, _monitor); // ends with the control channel, which ends with the process
        }
        finally
        {
            owned.ForEach(static item => item.Dispose());
        }
    }

    private ChildProcess StartJailed(IReadOnlyList<string> arguments, Dictionary<int, SafeFileDescriptor> descriptors)
    {
        Dictionary<string, SafeFileDescriptor> files = new() { [QemuCommandLine.KernelName] = _kernel };
        if (_initrd is not null)
        {
            files[QemuCommandLine.InitrdName] = _initrd;
        }

        return Jail.Start(
            new JailOptions
            {
                MountPoint = _resources.RuntimeDirectory,
                ReadOnlyPaths = QemuJail.ReadOnlyPaths(_executable),
                Files = files,
                WithKvm = _config.Accelerator == Accelerator.Kvm,
                UserId = _config.JailUserId,
                GroupId = _config.JailGroupId,
            },
            new SpawnOptions
            {
                Path = _executable,
                Arguments = arguments,
                Environment = [],
                Descriptors = descriptors,
            });
    }

    // A border: whatever happens here, Exited completes.
    private async Task WatchAsync(ChildProcess process, Task streams)
    {
        ExitStatus? status = null;
        try
        {
            status = await process.Exited;
            await streams.WaitAsync(s_drainTimeout, _time);
            await _monitor!.Closed.WaitAsync(s_drainTimeout, _time); // its last words are events: SHUTDOWN, GUEST_PANICKED
        }
        catch (Exception error) when (error is TimeoutException or LinuxException or ObjectDisposedException)
        {
            // Told as far as known.
        }

        _exited.TrySetResult(_lostMonitor is { } lost ? new VirtualMachineExit("QEMU", status, lost, Requested: false) : QemuExitReason.Describe(
            status, _stopRequested, _events.GuestPanicked, _events.ShutdownReason, Console.Tail(int.MaxValue), _messages.Last(QuotedMessages)));
    }

    // A QEMU that nobody can control or hear is of no use: it ends, and the reason is told. Never faults.
    private async Task WatchMonitorAsync(ChildProcess process, QmpConnection monitor)
    {
        await monitor.Closed;
        if (_stopRequested)
        {
            return;
        }

        try
        {
            await process.Exited.WaitAsync(s_drainTimeout, _time); // the usual case: the channel closed as the process ended
        }
        catch (TimeoutException)
        {
            _lostMonitor = $"the control channel of QEMU broke: {PrintableText.Escape(monitor.Failure?.Message ?? "closed")}";
            try
            {
                process.Kill(Signals.SIGKILL);
            }
            catch (ObjectDisposedException)
            {
                // Disposed meanwhile, and so ended.
            }
        }
        catch (Exception error) when (error is LinuxException or ObjectDisposedException)
        {
            // Told by WatchAsync.
        }
    }

    private static (SafeFileDescriptor, SafeFileDescriptor) Track(List<IDisposable> owned, (SafeFileDescriptor First, SafeFileDescriptor Second) pair)
    {
        owned.Add(pair.First);
        owned.Add(pair.Second);
        return pair;
    }

    private static DescriptorStream Release(List<IDisposable> owned, SafeFileDescriptor descriptor)
    {
        var stream = new DescriptorStream(descriptor);
        owned.Remove(descriptor);
        return stream;
    }
}
