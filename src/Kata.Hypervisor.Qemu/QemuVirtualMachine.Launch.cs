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
                NewSession = true,
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

        _exited.TrySetResult(QemuExitReason.Describe(
            status, _stopRequested, _events.GuestPanicked, _events.ShutdownReason, Console.Tail(int.MaxValue), _messages.Last(QuotedMessages)));
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
