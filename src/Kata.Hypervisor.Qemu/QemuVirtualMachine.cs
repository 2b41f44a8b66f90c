using Kata.Hypervisor.Qemu.Qmp;
using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

/// <summary>One virtual machine that QEMU runs.</summary>
/// <remarks>
/// Life: created (files open) → started (process, control channel, processors running) → exited. A control channel that breaks is told by
/// the next command, and an unresponsive QEMU is killed by <see cref="StopAsync"/>.
/// </remarks>
internal sealed class QemuVirtualMachine : IVirtualMachine, IPause, IVcpuThreads, IDeviceHotplug
{
    private const int FirstDescriptor = 3;

    private readonly MachineConfig _config;
    private readonly MachineResources _resources;
    private readonly QemuFiles _files;
    private readonly TimeProvider _time;
    private readonly QemuBoard _board;
    private readonly QemuEvents _events = new(AgentPort);
    private readonly PciSlots _slots;
    private readonly PciBus _pci = new();
    private readonly List<QemuChannel> _channels = [];
    private readonly TaskCompletionSource<VirtualMachineExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private QemuProcess? _process;
    private QemuHotplug? _hotplug;
    private Stream? _agentStream;
    private VsockListener? _vsockListener;
    private VhostVsock? _vsock;
    private bool _disposed;

    /// <summary>Takes ownership of <paramref name="resources"/> and <paramref name="files"/>.</summary>
    public QemuVirtualMachine(MachineConfig config, MachineResources resources, QemuFiles files, TimeProvider timeProvider)
    {
        _config = config;
        _resources = resources;
        _files = files;
        _time = timeProvider;
        _board = QemuBoard.Of(config.MachineType);
        _slots = new PciSlots(_board.IsExpress ? config.RootPorts : 0);
        Console = new ConsoleLog(resources.ConsoleLogPath, timeProvider: timeProvider);
    }

    public int ProcessId => Require(_process).Id;

    public IReadOnlyList<int> ProcessIds => _process is { } process ? [process.Id] : [];

    public ConsoleLog Console { get; }

    public Task<VirtualMachineExit> Exited => _exited.Task;

    private static string AgentPort => new AgentChannelDevice(AgentTransport.VirtioSerial).Id.Value;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_process is not null)
        {
            throw new InvalidOperationException("The virtual machine was started before");
        }

        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            Launch();
        }
        catch (LinuxException error)
        {
            // The jail has no shell and no interpreter: what the kernel cannot find is theirs, not the file that is plainly there.
            string needs = error.Errno switch
            {
                Errno.ENOENT or Errno.ENOEXEC => ", which has to be QEMU's own executable and no script",
                Errno.EACCES => $", which user {_config.JailUserId} has to be allowed to execute",
                _ => "",
            };
            throw new HypervisorException($"Cannot start the virtual machine '{_config.Name}' with '{_files.Executable}'{needs}", error);
        }
        finally
        {
            ReleaseInputs(); // the process has its own copies, or never will
        }

        QemuProcess process = Require(_process);
        try
        {
            await process.Monitor.OpenAsync(cancellationToken);
            await process.Monitor.ExecuteAsync(QmpCommand.Continue, cancellationToken);
        }
        catch (Exception error)
        {
            // A closed control channel means that QEMU is ending: its own words say more than the broken channel.
            bool ended = error is HypervisorException && process.Monitor.Closed.IsCompleted;
            VirtualMachineExit exit = ended ? await process.WaitOrKillAsync(_config.StopTimeout) : await process.KillAsync();
            if (error is not HypervisorException)
            {
                throw;
            }

            string failure = ended ? exit.Reason : Refusal(process, error);
            throw new HypervisorException(
                $"Cannot start the virtual machine '{_config.Name}': {failure}{HugePageRemedy()}", ended ? null : error)
            {
                // QEMU names the option.
                IsOfSharedFilesystem = failure.Contains(_board.Model(QemuDevices.FileShare), StringComparison.Ordinal),
            };
        }
    }

    public async Task<Stream> ConnectAgentAsync(CancellationToken cancellationToken)
    {
        Require(_process);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<Stream> opened = _vsockListener is null ? WaitForAgentPortAsync(ended.Token) : AcceptAgentAsync(ended.Token);
        if (await Task.WhenAny(opened, Exited) == opened)
        {
            return await opened;
        }

        await ended.CancelAsync();
        await ((Task)opened).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (opened.IsCompletedSuccessfully)
        {
            await (await opened).DisposeAsync();
        }

        VirtualMachineExit exit = await Exited;
        throw new HypervisorException(
            $"Cannot reach the agent of the virtual machine '{_config.Name}': {exit.Reason}{Console.TailForError()}");
    }

    public async Task PauseAsync(CancellationToken cancellationToken) => await Monitor.ExecuteAsync(QmpCommand.Stop, cancellationToken);

    public async Task ResumeAsync(CancellationToken cancellationToken) =>
        await Monitor.ExecuteAsync(QmpCommand.Continue, cancellationToken);

    public async Task<IReadOnlyList<int>> ListVcpuThreadsAsync(CancellationToken cancellationToken)
    {
        HashSet<int> named = QemuProcessors.ThreadIds(await Monitor.ExecuteAsync(QmpCommand.QueryCpusFast, cancellationToken));
        // QEMU counts in its own pid namespace. Only threads of its process are looked at: whatever it answers, no other can be meant.
        IReadOnlyList<int> threads = ProcessThreads.Find(ProcessId, named);
        return threads.Count == named.Count && named.Count > 0
            ? threads
            : throw new HypervisorException(
                $"Cannot find the processors of the virtual machine '{_config.Name}': "
                + $"QEMU has {threads.Count} of the {named.Count} threads that it names");
    }

    public Task PlugAsync(Device device, DeviceDescriptors descriptors, CancellationToken cancellationToken)
    {
        if (device is HostDevice host)
        {
            AdmitToJail(host);
        }

        return Require(_hotplug).PlugAsync(device, descriptors, cancellationToken);
    }

    public Task UnplugAsync(DeviceId id, CancellationToken cancellationToken) => Require(_hotplug).UnplugAsync(id, cancellationToken);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_process is not { } process || Exited.IsCompleted)
        {
            return;
        }

        process.ExpectEnd();
        try
        {
            // Ends early on: the process's end, the limit, or the caller's impatience; each of the last two means kill.
            Task quit = process.Monitor.ExecuteAsync(QmpCommand.Quit, cancellationToken);
            await Exited.WaitAsync(_config.StopTimeout, _time, cancellationToken);
            await quit.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // QEMU may end before it answers
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            await process.KillAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await StopAsync(CancellationToken.None);
        ReleaseInputs();
        _channels.ForEach(static channel => channel.Dispose());
        _agentStream?.Dispose();
        _vsockListener?.Dispose();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Console.Dispose();
        _exited.TrySetResult(new VirtualMachineExit("QEMU", null, "the virtual machine was never started", Requested: true));
    }

    private static T Require<T>(T? started)
        where T : class => started ?? throw new InvalidOperationException("The virtual machine is not started");

    private QmpConnection Monitor => Require(_process).Monitor;

    // Makes the channels, translates the devices and starts the process. Descriptors have the numbers in whose order they are found here.
    private void Launch()
    {
        Dictionary<int, SafeFileDescriptor> descriptors = [];
        QemuHandle Inherit(SafeFileDescriptor descriptor)
        {
            int number = FirstDescriptor + descriptors.Count;
            descriptors[number] = descriptor;
            return QemuHandle.Inherited(number);
        }

        QemuChannel monitor = NewChannel("monitor"), console = NewChannel("console");
        QemuChannel? agent = null;
        QemuHandle monitorHandle = Inherit(monitor.Listener);
        var devices = new List<(DeviceId Id, IReadOnlyList<QemuPart> Parts)>();
        foreach (Device device in _config.Devices)
        {
            QemuHandle[] handles = device switch
            {
                ConsoleDevice => [Inherit(console.Listener)],
                AgentChannelDevice { Transport: AgentTransport.Vsock } => [Inherit(OpenVsock())],
                AgentChannelDevice => [Inherit((agent = NewChannel("agent")).Listener)],
                VhostUserNetworkDevice => [], // in the jail, not inherited
                _ => [.. _resources.Descriptors.Of(device).Select(Inherit)],
            };
            // The driver has counted them.
            int slot = QemuBoard.IsPluggable(device) && _board.IsPci ? _slots.Take(device.Id, device is HostDevice)!.Value : 0;
            devices.Add((device.Id, QemuDevices.Translate(device, _board, handles, slot, _vsock?.ContextId ?? 0)));
        }

        IReadOnlyList<string> arguments = QemuCommandLine.Build(
            _config, monitorHandle, devices.SelectMany(static device => device.Parts), _vsock?.ContextId);
        HostDevice[] host = [.. _config.Devices.OfType<HostDevice>()];
        JailOptions jail = QemuJail.WithHostDevices(_pci, _files.JailOptions(_config, _resources), host);
        using LockedMemoryLimit? limit = host.Length > 0 ? LockedMemoryLimit.SetForChildren(QemuJail.LockedMemoryOf(_config)) : null;
        _process = QemuProcess.Start(
            jail,
            new SpawnOptions { Path = _files.Executable, Arguments = arguments, Environment = [], Descriptors = descriptors },
            (monitor, console), Console, _events, _exited, _config.MonitorTimeout, _time);
        _agentStream = agent?.Open();
        _hotplug = new QemuHotplug(_board, _process.Monitor, _events, _slots, _config.MonitorTimeout, _time);
        devices.ForEach(device => _hotplug.Adopt(device.Id, device.Parts));
    }

    private void AdmitToJail(HostDevice device)
    {
        try
        {
            var jail = new JailOptions { MountPoint = "/", UserId = _config.JailUserId, GroupId = _config.JailGroupId };
            JailNodes.Add(ProcessId, QemuJail.WithHostDevices(_pci, jail, [device]));
            LockedMemoryLimit.Set(ProcessId, QemuJail.LockedMemoryOf(_config));
        }
        catch (LinuxException error)
        {
            throw new HypervisorException($"Cannot give the device '{device.Id}' to the virtual machine '{_config.Name}'", error);
        }
    }

    private QemuChannel NewChannel(string name)
    {
        QemuChannel channel = QemuChannel.Create(_resources.RuntimeDirectory, name);
        _channels.Add(channel);
        return channel;
    }

    private SafeFileDescriptor OpenVsock()
    {
        _vsock = VhostVsock.Open();
        // The machine's own number, which is no other machine's: whoever takes the machine over knows the port without a note.
        _vsockListener = VsockListener.Listen(_vsock.ContextId);
        return _vsock.Device;
    }

    private async Task<Stream> WaitForAgentPortAsync(CancellationToken cancellationToken)
    {
        await _events.AgentPortOpened.WaitAsync(cancellationToken);
        return Interlocked.Exchange(ref _agentStream, null) ?? throw new InvalidOperationException("The agent's stream was taken before");
    }

    private async Task<Stream> AcceptAgentAsync(CancellationToken cancellationToken)
    {
        SafeFileDescriptor connection = await _vsockListener!.AcceptAsync(_vsock!.ContextId, cancellationToken);
        _vsockListener.Dispose(); // one agent, one connection
        return new DescriptorStream(connection);
    }

    // QEMU says only that it has no memory.
    private string HugePageRemedy() => _config.HugePages
        ? FormattableString.Invariant(
            $". With enable_hugepages it needs {(_config.MemoryMib + 1) / 2} free huge pages of 2 MiB: raise vm.nr_hugepages on the host")
        : "";

    private static string Refusal(QemuProcess process, Exception error)
    {
        IReadOnlyList<string> messages = process.Messages;
        string what = error is HypervisorException { Code: not null } ? "QEMU refused to run it" : "QEMU does not answer";
        return messages.Count == 0 ? what : $"{what}. QEMU's messages: {string.Join(" | ", messages)}";
    }

    private void ReleaseInputs()
    {
        _resources.Dispose();
        _files.Dispose();
        _vsock?.Dispose();
        foreach (QemuChannel channel in _channels)
        {
            channel.Listener.Dispose();
        }
    }
}
