using System.Diagnostics;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;
using Microsoft.Extensions.Logging;

namespace Kata.Sandbox;

/// <summary>
/// One pod: its machine, its guest and its containers. Made whole by <see cref="CreateAsync"/> or not at all; disposing ends the machine
/// and takes back everything in reverse order.
/// </summary>
internal sealed class PodSandbox : IAsyncDisposable
{
    private readonly SandboxEnvironment _environment;
    private readonly SandboxPlan _plan;
    private readonly StepExecutor _executor;
    private readonly MachineStep _machine;
    private readonly GuestConnectStep _guest;
    private readonly PropagationStep _propagation;
    private readonly ContainerSet _containers;
    private readonly StorageSet _storages;
    private readonly PodNetwork _network;
    private readonly DirectPodNetwork _directNetwork;
    private readonly SemaphoreSlim _saving = new(1, 1); // one writer of the state at a time
    private readonly TaskCompletionSource<string> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _agentLost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> _watches = []; // end with the machine or the agent's channel; added to during the boot only
    private IReadOnlyList<DeviceStep> _devices = []; // what the machine is started with besides its own
    private volatile string? _failure;
    private volatile bool _stopping;

    private PodSandbox(SandboxPlan plan, SandboxEnvironment environment, IMachineSource machines)
    {
        (_plan, _environment) = (plan, environment);
        _executor = new StepExecutor(environment.Journal);
        _machine = new MachineStep(machines, plan, () => _devices);
        _guest = new GuestConnectStep(plan, _machine, environment);
        _propagation = new PropagationStep(_guest, plan, environment);
        _storages = new StorageSet(environment, _executor, _machine, _guest, () => _failure is not null);
        _network = new PodNetwork(plan, environment, _executor, _machine, _guest);
        _directNetwork = new DirectPodNetwork(plan, environment, _guest);
        Network = new NetworkCommands(plan.Id, _network, () => Agent, environment.Log);
        _containers = new ContainerSet(plan, environment, () => Machine.ProcessIds);
    }

    public SandboxId Id => _plan.Id;

    public SandboxPlan Plan => _plan;

    /// <summary>Why the pod is dead while its service lives, or null. Its containers have ended with status 255.</summary>
    public string? Failure => _failure;

    /// <summary>Ends with that reason when the pod dies by itself; never when it is disposed of.</summary>
    public Task<string> Failed => _failed.Task;

    public Machine Machine => _machine.Machine;

    /// <summary>What people ask of its network.</summary>
    public NetworkCommands Network { get; }

    internal AgentConnection Agent => _guest.Guest?.Agent ?? throw new InvalidOperationException("The pod is not up");

    /// <summary>What keeps volumes as the host's.</summary>
    internal MountPropagation Propagation => _propagation.Propagation;

    internal TimeProvider Time => _environment.Time;

    /// <summary>Runs hooks as the pod's caller would.</summary>
    internal HookRunner Hooks => new(_environment.HookCaller, _environment.Time);

    internal ILogger Log => _environment.Log;

    /// <summary>Those that have not been deleted, also those that are being created.</summary>
    public IReadOnlyList<Container> Containers => _containers.All;

    /// <summary>In the order in which they came, without the root file systems of containers.</summary>
    public IReadOnlyList<PodStorage> Storages => [.. _storages.All.Where(static storage => !storage.Plan.IsRoot)];

    /// <summary>Boots the pod's machine and waits, by event, for its agent.</summary>
    /// <exception cref="HypervisorException">The VMM or the guest did not come up; the console's end is in the text.</exception>
    /// <exception cref="AgentException">The guest came up, its agent did not.</exception>
    public static async Task<PodSandbox> CreateAsync(
        SandboxPlan plan, SandboxEnvironment environment, IMachineSource machines, CancellationToken cancellationToken)
    {
        var pod = new PodSandbox(plan, environment, machines);
        try
        {
            await pod.BootAsync(cancellationToken);
            return pod;
        }
        catch
        {
            await pod.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Enters a container into the pod, which it keeps alive from now on; <see cref="CreateContainerAsync"/> makes it. Without a
    /// stand-in this process stands for the pod's first container, and a thread of it for each other, so that a caller who names one
    /// by its process id names no other.
    /// </summary>
    /// <param name="plan">What it is.</param>
    /// <param name="standInPid">The process that stands for it; null when nobody does.</param>
    /// <param name="thread">A thread of this process that stands for it already, with namespaces of its own; null for none. Owned.</param>
    /// <exception cref="SandboxStateException">There is one of its id.</exception>
    public Container AddContainer(ContainerPlan plan, int? standInPid, IdleThread? thread)
    {
        foreach (string warning in plan.Warnings.Concat(plan.Bundle.Warnings))
        {
            Log.ContainerWarning(plan.Id, warning);
        }

        thread ??= standInPid is null && plan.Id.Value != Id.Value ? new IdleThread() : null;
        var container = new Container(this, plan, thread, standInPid ?? thread?.Id ?? Environment.ProcessId);
        try
        {
            _containers.Add(container);
            return container;
        }
        catch
        {
            thread?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes a container that was added. One that fails, or is called off by <see cref="Container.CallOffAsync"/>, is out of the pod
    /// again; its poststop hooks are the caller's to run.
    /// </summary>
    /// <param name="container">The container.</param>
    /// <param name="openStdio">Opens its streams, which are the container's from then on.</param>
    /// <param name="cancellationToken">Calls it off, too.</param>
    public async Task CreateContainerAsync(Container container, Func<Task<ProcessStdio>> openStdio, CancellationToken cancellationToken)
    {
        ContainerId id = container.Plan.Id;
        // Ends early on: the pod's end (cancellationToken), or a delete of this container.
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, container.CalledOff);
        try
        {
            _containers.ApplyToHost();
            if (_containers.Shortage() is { } shortage)
            {
                Log.ContainerWarning(id, shortage);
            }

            await container.CreateAsync(await openStdio(), both.Token);
        }
        catch (Exception failure) // a border: what was made goes, whatever failed
        {
            await container.ReleaseAsync(CancellationToken.None);
            Forget(container);
            if (container.CalledOff.IsCancellationRequested)
            {
                throw SandboxStateException.DeletedMeanwhile(id.Value);
            }

            if (failure is AgentException { Code: Grpc.Core.StatusCode.Unavailable })
            {
                // As during the boot: which component it was says more than the closed channel.
                throw new HypervisorException($"Cannot create the container '{id}': {await LossReasonAsync()}", failure);
            }

            throw;
        }
    }

    /// <inheritdoc cref="StorageSet.AddAsync"/>
    public async Task<PodStorage> AddStorageAsync(StoragePlan plan, CancellationToken cancellationToken)
    {
        PodStorage storage = await _storages.AddAsync(plan, cancellationToken);
        Log.StorageAdded(Id, plan.Name, plan.Source);
        Save();
        return storage;
    }

    /// <inheritdoc cref="StorageSet.RemoveAsync"/>
    public async Task RemoveStorageAsync(string name, CancellationToken cancellationToken)
    {
        await _storages.RemoveAsync(name, cancellationToken);
        Log.StorageRemoved(Id, name);
        Save();
    }

    /// <exception cref="SandboxStateException">There is no such container in this pod.</exception>
    public Container Find(string id, string action) =>
        _containers.Find(id) ?? throw SandboxStateException.NotFound(action, "the container", id);

    /// <summary>Whether it has not been deleted yet.</summary>
    public bool Has(Container container) => _containers.Find(container.Plan.Id.Value) == container;

    /// <inheritdoc cref="ContainerSet.Namespaces"/>
    public PodNamespaces Namespaces(IHostFiles files) => _containers.Namespaces(files);

    /// <summary>Deletes a container. Its poststop hooks are the caller's to run.</summary>
    public async Task DeleteContainerAsync(Container container, bool force, CancellationToken cancellationToken)
    {
        await container.DeleteAsync(force, cancellationToken);
        Log.ContainerDeleted(container.Plan.Id);
        if (Forget(container) > 0)
        {
            try
            {
                LimitOnHost();
            }
            catch (LinuxException error) // it is deleted all the same, and must not be there for one half of the callers only
            {
                Log.PlanWarning(error.Message);
            }
        }
    }

    /// <summary>Has the host allow the pod what its containers may use now.</summary>
    /// <exception cref="LinuxException">The host cannot keep one of the limits.</exception>
    internal void LimitOnHost() => _containers.ApplyToHost();

    /// <summary>Ends the machine and gives everything back. Goes on after a failure and throws the first one at the end.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(async () => await _network.DisposeAsync());
        await cleanUp.TryAsync(() => _storages.CloseAsync(_failure is null && _guest.Guest is { Lost.IsCompleted: false }));
        await cleanUp.TryAsync(_executor.UndoAllAsync);
        _network.Leave();
        _directNetwork.Leave();
        await Task.WhenAll(_watches);
        cleanUp.ThrowIfFailed();
    }

    internal GuestProcess NewProcess(string container, string execId) =>
        new(Agent, container, execId, _plan.Timeouts.StdioDrain, LossReasonAsync, _environment.Time);

    /// <inheritdoc cref="PodNetwork.FollowAsync"/>
    internal Task FollowNetworkAsync(CancellationToken cancellationToken) => _network.FollowAsync(settings: true, cancellationToken);

    internal void OutOfMemory(ContainerId container) => _environment.OutOfMemory(container);

    /// <summary>Gives the guest what a container needs of the host's files.</summary>
    internal Task<ContainerFiles> ShareAsync(ContainerPlan plan, CancellationToken cancellationToken) =>
        ContainerFiles.ShareAsync(plan, Machine.Files, _storages, _environment.CallerMountNamespace, cancellationToken);

    /// <summary>Has the other containers see what a new one was given of their files.</summary>
    internal async Task FollowSharesAsync(Container newest, CancellationToken cancellationToken)
    {
        foreach (Container container in Agent.SupportsMounts ? Containers.Where(item => item != newest) : [])
        {
            await container.FollowSharesAsync(cancellationToken);
        }
    }

    /// <summary>Keeps what is known of the pod. A full disk is logged: it must not end a running container.</summary>
    internal void Save()
    {
        _saving.Wait(); // for as long as one small file takes
        try
        {
            _environment.Store.Save(new SandboxState
            {
                Version = SandboxState.CurrentVersion,
                Id = Id.Value,
                Runtime = RuntimeVersion.Text,
                Service = ProcessIdentity.Of(Environment.ProcessId)!,
                Hypervisor = _plan.Machine.HypervisorPath,
                KernelPath = _plan.Machine.KernelPath,
                ImagePath = _plan.Machine.InitrdPath,
                Network = _network.Namespace,
                Storages =
                [
                    .. Storages.Select(static storage =>
                        new StorageState(storage.Plan.Name, storage.Plan.Source, storage.Plan.MountPoint)),
                ],
                Containers = [.. Containers.Select(static container => container.ToState())],
            });
        }
        catch (IOException error)
        {
            Log.SaveFailed(Id, error.Message);
        }
        finally
        {
            _saving.Release();
        }
    }

    private int Forget(Container container)
    {
        int left = _containers.Remove(container);
        Save();
        return left;
    }

    private async Task BootAsync(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        foreach (string warning in _plan.Warnings)
        {
            Log.PlanWarning(warning);
        }

        _devices = [.. _storages.Open(_plan.Storages), .. _network.Open(), .. _directNetwork.Open()];
        await _executor.RunAsync(_devices, cancellationToken);
        await _executor.RunAsync([_machine], cancellationToken);
        long started = Stopwatch.GetTimestamp();
        _watches.Add(WatchAsync().LoggedAsync(Log));
        try
        {
            await _executor.RunAsync([_guest], cancellationToken);
            _watches.Add(TellAgentLossAsync(_guest.Guest!).LoggedAsync(Log));
            await _executor.RunAsync([new GuestConfigureStep(_guest), _propagation], cancellationToken);
            await Task.WhenAll(
                _storages.EnterAsync(cancellationToken), _network.EnterAsync(cancellationToken),
                _directNetwork.EnterAsync(cancellationToken));
        }
        catch (Exception error) when (error is HypervisorException or AgentException && !cancellationToken.IsCancellationRequested)
        {
            // A component's death shows first as a broken channel: which component it was says more.
            if (error is AgentException { Code: Grpc.Core.StatusCode.Unavailable } || _failed.Task.IsCompleted)
            {
                throw new HypervisorException($"Cannot boot the guest of '{Id}': {await LossReasonAsync()}", error);
            }

            throw;
        }

        _watches.Add(OomWatch.RunAsync(Agent, _containers.Find, Time).LoggedAsync(Log));
        _watches.Add(Agent.WatchAnswersAsync(_plan.Timeouts.AgentCheck).LoggedAsync(Log));
        await PlaceProcessorsAsync(cancellationToken);
        Log.SandboxUp(
            Id, (long)Stopwatch.GetElapsedTime(start, started).TotalMilliseconds, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        Save();
    }

    // When the guest is up, so that a small quota does not slow the boot.
    private async Task PlaceProcessorsAsync(CancellationToken cancellationToken)
    {
        if (_plan.ProcessorCgroup is not null)
        {
            try
            {
                _environment.ProcessorsFound(await Machine.ListProcessorThreadsAsync(cancellationToken));
            }
            catch (Exception error) when (error is HypervisorException or IOException)
            {
                Log.PlanWarning($"Nothing limits the processors of the pod: {error.Message}");
            }
        }
    }

    private async Task TellAgentLossAsync(GuestSandbox guest)
    {
        await guest.Lost;
        _agentLost.TrySetResult();
    }

    // Waits for the first component that ends and makes the whole pod fail, once, with its name in the reason.
    private async Task WatchAsync()
    {
        Machine machine = Machine;
        string? ended = await machine.EndedAsync(_agentLost.Task, () => _stopping || _guest.Guest is { Agent.IsCondemned: true });
        if (_stopping)
        {
            return;
        }

        string reason = $"{ended ?? _guest.Guest!.LossReason}{machine.Console.TailForError()}";
        _failure = reason;
        _failed.TrySetResult(reason);
        Log.SandboxFailed(Id, reason);
        await machine.StopAsync();
        if (_guest.Guest is { } guest)
        {
            await guest.DisposeAsync(); // every wait for a process ends now
        }
    }

    private async Task<string> LossReasonAsync()
    {
        Task<string> reason = _failed.Task;
        await Task.WhenAny(reason, Task.Delay(_plan.Timeouts.Stop * 2, _environment.Time));
        return reason.IsCompletedSuccessfully ? await reason : "the channel to the guest was lost";
    }
}
