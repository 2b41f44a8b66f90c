using System.Diagnostics;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;
using Kata.Storage;
using Microsoft.Extensions.Logging;

namespace Kata.Sandbox;

/// <summary>
/// One pod: its virtual machine, its share, its agent and its containers. Made whole by <see cref="CreateAsync"/> or not at
/// all; disposing ends the VM and takes back everything in reverse order.
/// </summary>
internal sealed partial class PodSandbox : IAsyncDisposable
{
    private readonly SandboxEnvironment _environment;
    private readonly SandboxPlan _plan;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Container> _containers = new(StringComparer.Ordinal); // guarded by _gate
    private readonly Stack<Func<Task>> _undo = new(); // in the order of making; used by one caller at a time
    private readonly TaskCompletionSource<string> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SharedDirectory? _share;
    private SharedSources? _sources;
    private MountPropagation? _propagation;
    private IVirtualMachine? _machine;
    private VirtioFsDaemon? _fileServer;
    private AgentConnection? _agent;
    private readonly TaskCompletionSource _agentLost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _watch = Task.CompletedTask;
    private volatile string? _failure;
    private volatile bool _stopping;

    private PodSandbox(SandboxPlan plan, SandboxEnvironment environment) => (_plan, _environment) = (plan, environment);

    public SandboxId Id => _plan.Id;

    public SandboxPlan Plan => _plan;

    /// <summary>Why the pod is dead while its service lives, or null. Its containers have ended with status 255.</summary>
    public string? Failure => _failure;

    /// <summary>Ends with that reason when the pod dies by itself; never when it is disposed of.</summary>
    public Task<string> Failed => _failed.Task;

    public int MachineProcessId => _machine!.ProcessId;

    internal AgentConnection Agent => _agent ?? throw new InvalidOperationException("The pod is not up");

    /// <summary>What keeps volumes as the host's.</summary>
    internal MountPropagation Propagation => _propagation ?? throw new InvalidOperationException("The pod is not up");

    internal TimeProvider Time => _environment.Time;

    /// <summary>Runs hooks as the pod's caller would.</summary>
    internal HookRunner Hooks => new(_environment.HookCaller, _environment.Time);

    internal ILogger Log => _environment.Log;

    /// <summary>Boots the pod's VM and waits, by event, for its agent.</summary>
    /// <exception cref="HypervisorException">The VMM or the guest did not come up; the console's end is in the text.</exception>
    /// <exception cref="AgentException">The guest came up, its agent did not.</exception>
    public static async Task<PodSandbox> CreateAsync(SandboxPlan plan, SandboxEnvironment environment, CancellationToken cancellationToken)
    {
        var pod = new PodSandbox(plan, environment);
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
    /// Adds a container. Takes ownership of <paramref name="stdio"/>. Without a stand-in this process stands for the pod's first
    /// container, and a thread of it for each other, so that a caller who names one by its process id names no other.
    /// </summary>
    public async Task<Container> AddContainerAsync(ContainerPlan plan, ProcessStdio stdio, int? standInPid, CancellationToken cancellationToken)
    {
        foreach (string warning in plan.Warnings.Concat(plan.Bundle.Warnings))
        {
            Log.ContainerWarning(plan.Id, warning);
        }

        IdleThread? thread = standInPid is null && plan.Id.Value != Id.Value ? new IdleThread() : null;
        var container = new Container(this, plan, _environment.Time.GetUtcNow(), thread) { StandInPid = standInPid ?? thread?.Id ?? Environment.ProcessId };
        lock (_gate)
        {
            if (!_containers.TryAdd(plan.Id.Value, container))
            {
                thread?.Dispose();
                throw SandboxStateException.AlreadyExists("create the container", "a container", plan.Id.Value);
            }
        }

        try
        {
            LimitOnHost();
            ScoreForShortage();
            WarnOfShortage(plan.Id);
            await container.CreateAsync(stdio, cancellationToken);
            return container;
        }
        catch (Exception failure) // a border: what was made goes, whatever failed
        {
            await container.ReleaseAsync(CancellationToken.None);
            Forget(plan.Id);
            await container.RunPoststopHooksAsync();
            if (failure is AgentException { Code: Grpc.Core.StatusCode.Unavailable })
            {
                // As during the boot: which component it was says more than the closed channel.
                throw new HypervisorException($"Cannot create the container '{plan.Id}': {await LossReasonAsync()}", failure);
            }

            throw;
        }
    }

    /// <exception cref="SandboxStateException">There is no such container in this pod.</exception>
    public Container Find(string id, string action)
    {
        lock (_gate)
        {
            return _containers.TryGetValue(id, out Container? container)
                ? container
                : throw SandboxStateException.NotFound(action, "the container", id);
        }
    }

    /// <summary>Whether it has not been deleted yet.</summary>
    public bool Has(Container container)
    {
        lock (_gate)
        {
            return _containers.GetValueOrDefault(container.Plan.Id.Value) == container;
        }
    }

    /// <summary>
    /// The containers that live, by what stands for their namespaces. This process stands for the pod's first one when nobody else does, or, in
    /// a pod without, for the pod.
    /// </summary>
    public PodNamespaces Namespaces(IHostFiles files)
    {
        lock (_gate)
        {
            return new PodNamespaces(
                Id, Environment.ProcessId,
                [.. _containers.Values.Where(static item => item.Status != ContainerStatus.Stopped).Select(static item => new PodNamespaces.Holder(item.Plan, item.StandInPid))], files);
        }
    }

    /// <summary>Those that have not been deleted.</summary>
    public IReadOnlyList<Container> Containers
    {
        get
        {
            lock (_gate)
            {
                return [.. _containers.Values];
            }
        }
    }

    /// <summary>Deletes a container; returns how many are left. Its poststop hooks are the caller's to run.</summary>
    public async Task<int> DeleteContainerAsync(Container container, bool force, CancellationToken cancellationToken)
    {
        await container.DeleteAsync(force, cancellationToken);
        Log.ContainerDeleted(container.Plan.Id);
        int left = Forget(container.Plan.Id);
        if (left > 0)
        {
            try
            {
                LimitOnHost();
            }
            catch (LinuxException error) // it is deleted all the same, and must not be there for one half of the callers only
            {
                Log.PlanWarning(error.Message);
            }

            ScoreForShortage();
        }

        return left;
    }

    /// <summary>Has the host allow the pod what its containers may use now.</summary>
    /// <exception cref="LinuxException">The host cannot keep one of the limits.</exception>
    internal void LimitOnHost()
    {
        lock (_gate)
        {
            _environment.LimitsChanged(HostLimits.Plan(
                WorkingLimits(), _plan.Machine, _plan.BaseVcpus, _containers.Values.FirstOrDefault(static item => item.Plan.IsPodSandbox)?.Resources));
        }
    }

    /// <summary>Ends the VM and gives everything back. Goes on after a failure and throws the first one at the end.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        var cleanUp = new CleanUp();
        while (_undo.TryPop(out Func<Task>? undo))
        {
            await cleanUp.TryAsync(undo);
        }

        await Task.WhenAll(_watch, _agentLoss, _oomWatch, _answerWatch);
        cleanUp.ThrowIfFailed();
    }

    internal GuestProcess NewProcess(string container, string execId) =>
        new(Agent, container, execId, _plan.Timeouts.StdioDrain, LossReasonAsync, _environment.Time);

    /// <summary>Writes <c>state.json</c>. A full disk is logged: it must not end a running container.</summary>
    internal void Save()
    {
        ContainerState[] containers;
        lock (_gate)
        {
            containers = [.. _containers.Values.Select(static container => container.ToState())];
            try
            {
                SandboxStateStore.Write(_environment.Directories.StateFile(Id), new SandboxState
                {
                    Version = SandboxState.CurrentVersion,
                    Id = Id.Value,
                    Runtime = RuntimeVersion.Text,
                    Service = ProcessIdentity.Of(Environment.ProcessId)!,
                    Hypervisor = _plan.Machine.HypervisorPath,
                    KernelPath = _plan.Machine.KernelPath,
                    ImagePath = _plan.Machine.InitrdPath,
                    Containers = containers,
                });
            }
            catch (IOException error)
            {
                Log.SaveFailed(Id, error.Message);
            }
        }
    }

    // What Kubernetes calls the sandbox is a container too, one that does nothing but hold the pod together.
    private LinuxResources[] WorkingLimits() =>
        [.. _containers.Values.Where(static item => !item.Plan.IsPodSandbox).Select(static item => item.Resources)]; // under _gate

    private void WarnOfShortage(ContainerId id)
    {
        string? shortage;
        lock (_gate)
        {
            shortage = SandboxSize.ShortageOf(WorkingLimits(), new MachineSize(_plan.Machine.VcpuCount, (long)_plan.Machine.MemoryMib << 20));
        }

        if (shortage is not null)
        {
            Log.ContainerWarning(id, shortage);
        }
    }

    // When the guest is up, so that a small quota does not slow the boot.
    private async Task PlaceProcessorsAsync(CancellationToken cancellationToken)
    {
        if (_plan.ProcessorCgroup is not null && _machine is IVcpuThreads machine)
        {
            try
            {
                _environment.ProcessorsFound(await machine.ListVcpuThreadsAsync(cancellationToken));
            }
            catch (Exception error) when (error is HypervisorException or IOException)
            {
                Log.PlanWarning($"Nothing limits the processors of the pod: {error.Message}");
            }
        }
    }

    private int Forget(ContainerId id)
    {
        int left;
        lock (_gate)
        {
            _containers.Remove(id.Value);
            left = _containers.Count;
        }

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

        await StartFileServerAsync();
        await StartMachineAsync(cancellationToken);
        long started = Stopwatch.GetTimestamp();
        _watch = WatchAsync().LoggedAsync(Log); // ends when a component ends, at the latest when the pod is disposed
        try
        {
            await BootGuestAsync(cancellationToken);
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

        await PlaceProcessorsAsync(cancellationToken);
        Log.SandboxUp(Id, (long)Stopwatch.GetElapsedTime(start, started).TotalMilliseconds, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        Save();
    }
}
