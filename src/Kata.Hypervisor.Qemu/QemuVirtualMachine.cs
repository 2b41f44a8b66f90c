using Kata.Hypervisor.Qemu.Qmp;
using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

/// <summary>One QEMU process in its jail.</summary>
/// <remarks>
/// Life: created (files open) → started (process, control channel, processors running) → exited. Only the process's end makes
/// <see cref="Exited"/> complete; a control channel that breaks is told by the next command, and an unresponsive QEMU is killed by
/// <see cref="StopAsync"/>. The console and the message streams end with the process, so they are read to their end first.
/// </remarks>
internal sealed partial class QemuVirtualMachine : IVirtualMachine, IPause
{
    /// <summary>How many of QEMU's own messages an error quotes.</summary>
    private const int QuotedMessages = 6;

    /// <summary>A process that is gone closes its streams at once; a limit, as a descriptor that leaked would hold them open.</summary>
    private static readonly TimeSpan s_drainTimeout = TimeSpan.FromSeconds(2);

    private readonly VirtualMachineConfig _config;
    private readonly VirtualMachineResources _resources;
    private readonly string _executable;
    private readonly SafeFileDescriptor _kernel;
    private readonly SafeFileDescriptor? _initrd;
    private readonly SafeFileDescriptor? _entropy;
    private readonly TimeProvider _time;
    private readonly QemuEvents _events = new();
    private readonly LineTail _messages = new();
    private readonly TaskCompletionSource<VirtualMachineExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ChildProcess? _process;
    private QmpConnection? _monitor;
    private DescriptorStream? _agentStream;
    private VsockListener? _vsockListener;
    private VhostVsock? _vsock;
    private volatile bool _stopRequested;
    private volatile string? _lostMonitor;
    private bool _disposed;

    public QemuVirtualMachine(
        VirtualMachineConfig config,
        VirtualMachineResources resources,
        string executable,
        SafeFileDescriptor kernel,
        SafeFileDescriptor? initrd,
        SafeFileDescriptor? entropy,
        TimeProvider timeProvider)
    {
        _config = config;
        _resources = resources;
        _executable = executable;
        _kernel = kernel;
        _initrd = initrd;
        _entropy = entropy;
        _time = timeProvider;
        Console = new ConsoleLog(resources.ConsoleLogPath, timeProvider: timeProvider);
    }

    public int ProcessId => (_process ?? throw new InvalidOperationException("The virtual machine is not started")).Pid;

    public IReadOnlyList<int> ProcessIds => _process is { } process ? [process.Pid] : [];

    public ConsoleLog Console { get; }

    public Task<VirtualMachineExit> Exited => _exited.Task;

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
            throw new HypervisorException($"Cannot start the virtual machine '{_config.Name}' with '{_executable}'{needs}", error);
        }
        finally
        {
            ReleaseInputs(); // the process has its own copies, or never will
        }

        try
        {
            await _monitor!.OpenAsync(cancellationToken);
            await _monitor.ExecuteAsync(QmpCommand.Continue, cancellationToken);
        }
        catch (Exception error)
        {
            // A closed control channel means that QEMU is ending: its own words say more than the broken channel.
            bool ended = error is HypervisorException && _monitor!.Closed.IsCompleted;
            VirtualMachineExit exit = ended ? await WaitOrKillAsync() : await KillAsync();
            if (error is not HypervisorException)
            {
                throw;
            }

            string failure = StartFailure(ended, exit, error);
            throw new HypervisorException($"Cannot start the virtual machine '{_config.Name}': {failure}{HugePageRemedy()}", ended ? null : error)
            {
                IsOfSharedFilesystem = failure.Contains(QemuCommandLine.SharedFilesystemDevice, StringComparison.Ordinal), // it names the option
            };
        }
    }

    public async Task<Stream> ConnectAgentAsync(CancellationToken cancellationToken)
    {
        if (_process is null)
        {
            throw new InvalidOperationException("The virtual machine is not started");
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<Stream> opened = _config.AgentTransport == AgentTransport.Vsock ? AcceptAgentAsync(ended.Token) : WaitForAgentPortAsync(ended.Token);
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
        throw new HypervisorException($"Cannot reach the agent of the virtual machine '{_config.Name}': {exit.Reason}{Console.TailForError()}");
    }

    public async Task PauseAsync(CancellationToken cancellationToken) => await RequireMonitor().ExecuteAsync(QmpCommand.Stop, cancellationToken);

    public async Task ResumeAsync(CancellationToken cancellationToken) => await RequireMonitor().ExecuteAsync(QmpCommand.Continue, cancellationToken);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_process is null || Exited.IsCompleted)
        {
            return;
        }

        _stopRequested = true;
        try
        {
            // Ends early on: the process's end, the limit, or the caller's impatience; each of the last two means kill.
            Task quit = _monitor is { } monitor ? monitor.ExecuteAsync(QmpCommand.Quit, cancellationToken) : Task.CompletedTask;
            await Exited.WaitAsync(_config.StopTimeout, _time, cancellationToken);
            await quit.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // QEMU may end before it answers
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            await KillAsync();
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
        if (_monitor is not null)
        {
            await _monitor.DisposeAsync();
        }

        _agentStream?.Dispose();
        _vsockListener?.Dispose();
        _process?.Dispose();
        Console.Dispose();
        _exited.TrySetResult(new VirtualMachineExit("QEMU", null, "the virtual machine was never started", Requested: true));
    }

    private QmpConnection RequireMonitor() => _monitor ?? throw new InvalidOperationException("The virtual machine is not started");

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

    private async Task<VirtualMachineExit> WaitOrKillAsync()
    {
        try
        {
            return await Exited.WaitAsync(_config.StopTimeout, _time);
        }
        catch (TimeoutException)
        {
            return await KillAsync();
        }
    }

    private async Task<VirtualMachineExit> KillAsync()
    {
        _stopRequested = true;
        _process!.Kill(Signals.SIGKILL);
        return await Exited;
    }

    // QEMU says only that it has no memory.
    private string HugePageRemedy() => _config.HugePages
        ? FormattableString.Invariant($". With enable_hugepages it needs {(_config.MemoryMib + 1) / 2} free huge pages of 2 MiB: raise vm.nr_hugepages on the host")
        : "";

    private string StartFailure(bool ended, VirtualMachineExit exit, Exception error)
    {
        if (ended)
        {
            return exit.Reason;
        }

        IReadOnlyList<string> messages = _messages.Last(QuotedMessages);
        string what = error is HypervisorException { Code: not null } ? "QEMU refused to run it" : "QEMU does not answer";
        return messages.Count == 0 ? what : $"{what}. QEMU's messages: {string.Join(" | ", messages)}";
    }

    private void ReleaseInputs()
    {
        _resources.Dispose();
        _kernel.Dispose();
        _initrd?.Dispose();
        _entropy?.Dispose();
        _vsock?.Dispose();
    }
}
