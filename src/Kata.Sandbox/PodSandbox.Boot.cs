using System.Globalization;
using System.Text;
using Google.Protobuf;
using Kata.Agent.Protocol;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>The steps of a pod's boot and what watches them afterwards. Each pushes its own undo.</summary>
internal sealed partial class PodSandbox
{
    /// <summary>From a machine's death until its process is reaped and its console is read.</summary>
    private static readonly TimeSpan s_reapTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Until a file server that is dead already is reaped and its messages are read.</summary>
    private static readonly TimeSpan s_lastWordsTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>What stock agents take at once.</summary>
    private const int CopyPartBytes = 1 << 20;

    private Task _agentLoss = Task.CompletedTask;
    private Task _answerWatch = Task.CompletedTask;

    /// <summary>Gives the guest what a container needs of the host's files.</summary>
    internal ContainerFiles Share(ContainerPlan plan) => ContainerFiles.Share(plan, _sources!, _environment.CallerMountNamespace);

    /// <summary>Has the other containers see what a new one was given of their files.</summary>
    internal async Task FollowSharesAsync(Container newest, CancellationToken cancellationToken)
    {
        foreach (Container container in Agent.SupportsMounts ? Containers.Where(item => item != newest) : [])
        {
            await container.FollowSharesAsync(cancellationToken);
        }
    }

    // Most hosts are merely slow; a guest without a word has more likely the wrong kernel.
    internal static string BootTimeoutText(Oci.SandboxId id, TimeSpan limit, ConsoleLog console)
    {
        string cause = string.Create(CultureInfo.InvariantCulture, $"Cannot boot the guest of '{id}': its agent did not answer within {limit.TotalSeconds:0.#} s");
        const string Remedy = "A slow host needs a longer boot_timeout";
        return console.IsEmpty
            ? $"{cause}{console.TailForError()}. Check the kernel and the image that 'kata-runtime kata-env' names. {Remedy}"
            : $"{cause}. {Remedy}{console.TailForError()}";
    }

    private async Task StartFileServerAsync()
    {
        string machine = _environment.Directories.VirtualMachine(Id);
        Directory.CreateDirectory(machine, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _share = SharedDirectory.Create(_environment.Directories.Shared(Id));
        _undo.Push(() =>
        {
            _share.Dispose();
            return Task.CompletedTask;
        });
        _sources = new SharedSources(_share, () => _fileServer!.ProcessId, _environment.Time);
        _fileServer = await VirtioFsDaemon.StartAsync(
            new VirtioFsDaemonOptions
            {
                Path = _plan.VirtioFsDaemonPath,
                SourceDirectory = _share.Path,
                SocketDirectory = machine,
                CacheMode = _plan.VirtioFsCache,
                ExtraArguments = _plan.VirtioFsExtraArguments,
                StopTimeout = _plan.Timeouts.Stop,
            },
            _environment.Time);
        _undo.Push(async () => await _fileServer.DisposeAsync());
        _undo.Push(async () => await _sources.DisposeAsync());
    }

    private async Task StartMachineAsync(CancellationToken cancellationToken)
    {
        var resources = new MachineResources
        {
            RuntimeDirectory = _environment.Directories.VirtualMachine(Id),
            ConsoleLogPath = _environment.Directories.ConsoleLog(Id),
        };
        resources.Descriptors.Add(GuestPaths.ShareDevice, _fileServer!.TakeClientSocket());
        if (_plan.Machine.Devices.OfType<RandomDevice>().FirstOrDefault() is { FromHostDevice: true } random)
        {
            resources.Descriptors.Add(random.Id, RandomSource.Open(_plan.EntropySource));
        }

        _machine = await _environment.Hypervisor.CreateAsync(_plan.Machine, resources, cancellationToken);
        _undo.Push(async () => await _machine.DisposeAsync());
        _machine.Console.LineReceived += line => Log.ConsoleLine(line);
        try
        {
            await _machine.StartAsync(cancellationToken);
        }
        catch (HypervisorException error)
        {
            // A file server that died first is a closed socket to the monitor, which says that and no more.
            await Task.WhenAny(_fileServer.Exited, Task.Delay(s_lastWordsTimeout, _environment.Time, cancellationToken));
            VirtioFsDaemonExit? exit = _fileServer.Exited.IsCompleted ? await _fileServer.Exited : null;
            if (exit is { Failed: true } || (exit is { Requested: false } && error.IsOfSharedFilesystem))
            {
                throw new HypervisorException($"Cannot share files with the pod '{Id}': {exit.Reason}. Check hypervisor.qemu.virtio_fs_daemon");
            }

            throw;
        }

        // They are in the service's session, which its own record stands for; one that were to leave it is found by this.
        foreach (int process in _machine.ProcessIds.Concat(_fileServer.ProcessIds))
        {
            if (ProcessIdentity.Of(process) is { } identity)
            {
                _environment.Journal.Record(new ProcessAcquisition(identity));
            }
        }
    }

    private async Task BootGuestAsync(CancellationToken cancellationToken)
    {
        // Ends early on: the caller (cancellationToken), the boot limit, the machine's own end (ConnectAgentAsync throws).
        using var limit = new CancellationTokenSource(_plan.Timeouts.Boot, _environment.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        Stream channel;
        try
        {
            channel = await _machine!.ConnectAgentAsync(both.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HypervisorException(BootTimeoutText(Id, _plan.Timeouts.Boot, _machine!.Console));
        }

        _agent = await OpenAgentAsync(channel, cancellationToken);
        _undo.Push(async () => await _agent.DisposeAsync());
        _agentLoss = TellAgentLossAsync(_agent).LoggedAsync(Log); // ends with the channel
        _propagation = new MountPropagation(_agent, _environment.Directories.Volumes(Id), _environment.CallerMountNamespace, Log);
        _undo.Push(async () => await _propagation.DisposeAsync());
        await CreateGuestSandboxAsync(cancellationToken);
        _oomWatch = WatchOomAsync(_agent).LoggedAsync(Log);
        _answerWatch = _agent.WatchAnswersAsync(_plan.Timeouts.AgentCheck).LoggedAsync(Log); // ends with the channel
    }

    private async Task TellAgentLossAsync(AgentConnection agent)
    {
        await agent.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _agentLost.TrySetResult();
    }

    private async Task<AgentConnection> OpenAgentAsync(Stream channel, CancellationToken cancellationToken)
    {
        try
        {
            AgentConnection agent = await AgentConnection.OpenAsync(channel, _plan.Timeouts.Dial, _plan.Timeouts.Request, _environment.Time, cancellationToken);
            if (agent.Hello is { } hello)
            {
                Log.AgentUp(GuestText.Escape(hello.AgentVersion), GuestText.Escape(hello.KernelRelease), hello.Protocol, hello.UptimeMs);
            }

            return agent;
        }
        catch (AgentException error)
        {
            throw new AgentException($"reach the agent in the guest of '{Id}'", error.Code, $"{error.Message}{_machine!.Console.TailForError()}");
        }
    }

    private async Task CreateGuestSandboxAsync(CancellationToken cancellationToken)
    {
        var request = new CreateSandboxRequest { Hostname = _plan.Hostname, SandboxId = Id.Value, SandboxPidns = _plan.SharesPidNamespace };
        request.Storages.Add(new Agent.Protocol.Storage
        {
            Driver = "virtio-fs",
            Source = GuestPaths.ShareTag,
            Fstype = "virtiofs",
            MountPoint = GuestPaths.Share,
            Options = { "nodev" },
        });
        if (_plan.SharedMemory is { } sharedMemory)
        {
            request.Storages.Add(sharedMemory.ToStorage());
        }

        foreach (string module in _plan.KernelModules)
        {
            string[] words = module.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            request.KernelModules.Add(new KernelModule { Name = words[0], Parameters = { words[1..] } });
        }

        await AgentConnection.CallAsync(
            $"set up the guest of '{Id}'", Agent.Agent.CreateSandboxAsync(request, Agent.Timed(cancellationToken)));
        foreach (GuestFile file in _plan.Files)
        {
            await CopyAsync(file, cancellationToken);
        }
    }

    private async Task CopyAsync(GuestFile file, CancellationToken cancellationToken)
    {
        byte[] text = Encoding.UTF8.GetBytes(file.Text);
        int offset = 0;
        do // one part for an empty file too
        {
            int length = Math.Min(CopyPartBytes, text.Length - offset);
            var part = new CopyFileRequest
            {
                Path = file.Path,
                FileSize = text.Length,
                FileMode = FileModes.Readable,
                Offset = offset,
                Data = ByteString.CopyFrom(text, offset, length),
            };
            await AgentConnection.CallAsync($"copy '{file.Path}' into the guest of '{Id}'", Agent.Agent.CopyFileAsync(part, Agent.Timed(cancellationToken)));
            offset += length;
        }
        while (offset < text.Length);
    }

    /// <summary>Waits for the first component that ends and makes the whole pod fail, once, with its name in the reason.</summary>
    private async Task WatchAsync()
    {
        Task ended = await Task.WhenAny(_machine!.Exited, _fileServer!.Exited, _agentLost.Task);
        if (_stopping)
        {
            return;
        }

        bool fileServerWasKilled = _fileServer.Exited.IsCompleted && (await _fileServer.Exited).Status is { Signal: not null };
        if (ended != _machine.Exited && !fileServerWasKilled && _agent is not { IsCondemned: true })
        {
            // The channel closes, and virtiofsd ends, a moment before a machine that dies is reaped: its own reason says more.
            await Task.WhenAny(_machine.Exited, Task.Delay(s_reapTimeout, _environment.Time));
        }

        string reason = _machine.Exited.IsCompletedSuccessfully && !fileServerWasKilled
            ? (await _machine.Exited).Reason
            : _fileServer.Exited.IsCompleted
                ? (await _fileServer.Exited).Reason
                : ChannelFailure();
        reason = $"{reason}{_machine.Console.TailForError()}";
        _failure = reason;
        _failed.TrySetResult(reason);
        Log.SandboxFailed(Id, reason);
        await _machine.StopAsync(CancellationToken.None);
        if (_agent is { } agent)
        {
            await agent.DisposeAsync(); // every wait for a process ends now
        }
    }

    private string ChannelFailure() => _agent switch
    {
        { Violation: { } violation } => $"the guest's agent broke the protocol: {violation}",
        { Silence: { } silence } => silence,
        { Completion.Exception.InnerException: { } fault } => $"the channel to the guest's agent failed: {GuestText.Escape(fault.Message)}",
        _ => "the guest's agent closed its channel",
    };

    private async Task<string> LossReasonAsync()
    {
        Task<string> reason = _failed.Task;
        await Task.WhenAny(reason, Task.Delay(_plan.Timeouts.Stop * 2, _environment.Time));
        return reason.IsCompletedSuccessfully ? await reason : "the channel to the guest was lost";
    }
}
