using Kata.Agent.Protocol;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>The steps of a pod's boot and what watches them afterwards. Each pushes its own undo.</summary>
internal sealed partial class PodSandbox
{
    internal void Share(SharedMount mount) =>
        _share!.AddMount(SharedDirectory.OpenTree(mount.HostPath, _environment.CallerMountNamespace), mount.Target, mount.ReadOnly);

    internal void Unshare(SharedMount mount, Oci.ContainerId container)
    {
        try
        {
            _share!.RemoveMount(mount.Target);
        }
        catch (Exception error) when (error is LinuxException or IOException)
        {
            Log.ReleaseFailed(container, error.Message);
        }
    }

    private void StartFileServer()
    {
        string machine = _environment.Directories.VirtualMachine(Id);
        Directory.CreateDirectory(machine, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _share = SharedDirectory.Create(_environment.Directories.Shared(Id));
        _undo.Push(() =>
        {
            _share.Dispose();
            return Task.CompletedTask;
        });
        _fileServer = VirtioFsDaemon.Start(
            new VirtioFsDaemonOptions
            {
                Path = _plan.VirtioFsDaemonPath,
                SourceDirectory = _share.Path,
                SocketDirectory = machine,
                CacheMode = _plan.VirtioFsCache,
                StopTimeout = _plan.Timeouts.Stop,
            },
            _environment.Time);
        _undo.Push(async () => await _fileServer.DisposeAsync());
    }

    private async Task StartMachineAsync(CancellationToken cancellationToken)
    {
        var resources = new VirtualMachineResources
        {
            RuntimeDirectory = _environment.Directories.VirtualMachine(Id),
            ConsoleLogPath = _environment.Directories.ConsoleLog(Id),
            SharedFilesystemSockets = new Dictionary<string, SafeFileDescriptor> { [GuestPaths.ShareTag] = _fileServer!.TakeClientSocket() },
        };
        _machine = await _environment.Hypervisor.CreateAsync(_plan.VirtualMachine, resources, cancellationToken);
        _undo.Push(async () => await _machine.DisposeAsync());
        _machine.Console.LineReceived += line => Log.ConsoleLine(line);
        await _machine.StartAsync(cancellationToken);
    }

    private async Task<AgentConnection> OpenAgentAsync(Stream channel, CancellationToken cancellationToken)
    {
        try
        {
            AgentConnection agent = await AgentConnection.OpenAsync(channel, _plan.Timeouts.Request, _environment.Time, cancellationToken);
            if (agent.Hello is { } hello)
            {
                Log.AgentUp(GuestText.Escape(hello.AgentVersion), GuestText.Escape(hello.KernelRelease), hello.Protocol, hello.UptimeMs);
            }

            return agent;
        }
        catch (AgentException error)
        {
            throw new AgentException($"reach the agent in the guest of '{Id}'", error.Code, $"{error.Message}\n{_machine!.Console.TailForError()}");
        }
    }

    private async Task CreateGuestSandboxAsync(CancellationToken cancellationToken)
    {
        var request = new CreateSandboxRequest { Hostname = _plan.Hostname, SandboxId = Id.Value };
        request.Storages.Add(new Agent.Protocol.Storage
        {
            Driver = "virtio-fs",
            Source = GuestPaths.ShareTag,
            Fstype = "virtiofs",
            MountPoint = GuestPaths.Share,
            Options = { "nodev" },
        });
        foreach (string module in _plan.KernelModules)
        {
            string[] words = module.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            request.KernelModules.Add(new KernelModule { Name = words[0], Parameters = { words[1..] } });
        }

        await AgentConnection.CallAsync(
            $"set up the guest of '{Id}'", Agent.Agent.CreateSandboxAsync(request, Agent.Timed(cancellationToken)));
    }

    /// <summary>Waits for the first component that ends and makes the whole pod fail, once, with its name in the reason.</summary>
    private async Task WatchAsync()
    {
        Task ended = await Task.WhenAny(_machine!.Exited, _fileServer!.Exited, _agent!.Completion);
        if (_stopping)
        {
            return;
        }

        if (ended == _agent.Completion)
        {
            // The channel closes a moment before its machine is reaped: the machine's own reason says more.
            await Task.WhenAny(_machine.Exited, Task.Delay(_plan.Timeouts.Stop, _environment.Time));
        }

        string reason = _machine.Exited.IsCompletedSuccessfully
            ? $"{(await _machine.Exited).Reason}. The console's end:\n{_machine.Console.TailForError()}"
            : _fileServer.Exited.IsCompleted
                ? (await _fileServer.Exited).Reason
                : $"the guest's agent closed its channel. The console's end:\n{_machine.Console.TailForError()}";
        _failure = reason;
        _failed.TrySetResult(reason);
        Log.SandboxFailed(Id, reason);
        await _machine.StopAsync(CancellationToken.None);
        await _agent.DisposeAsync(); // every wait for a process ends now
    }

    private async Task<string> LossReasonAsync()
    {
        Task<string> reason = _failed.Task;
        await Task.WhenAny(reason, Task.Delay(_plan.Timeouts.Stop * 2, _environment.Time));
        return reason.IsCompletedSuccessfully ? await reason : "the channel to the guest was lost";
    }
}
