using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>
/// The disks of a pod: storages that its machine starts with or that come and go while it runs, and root file systems of its containers.
/// Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The source has neither a timer nor a wait handle: there is nothing to dispose of")]
internal sealed class StorageSet
{
    /// <summary>For all of a pod's disks at its end. A guest that hangs must not keep the pod.</summary>
    private static readonly TimeSpan s_unmountTimeout = TimeSpan.FromSeconds(10);

    private readonly SandboxEnvironment _environment;
    private readonly StepExecutor _executor;
    private readonly MachineStep _machine;
    private readonly GuestConnectStep _guest;
    private readonly Func<bool> _lost;
    private readonly Lock _gate = new();
    private readonly List<PodStorage> _storages = []; // guarded by _gate
    private readonly HashSet<string> _names = new(StringComparer.Ordinal); // taken ones of storages; guarded by _gate
    private readonly HashSet<Task> _underWay = []; // guarded by _gate
    private readonly CancellationTokenSource _ending = new();
    private volatile bool _ended;
    private int _devices; // guarded by _gate: names of devices are never given twice

    /// <param name="environment">What the pod lives in.</param>
    /// <param name="executor">The pod's.</param>
    /// <param name="machine">The pod's.</param>
    /// <param name="guest">The pod's.</param>
    /// <param name="lost">Whether the machine has failed: nothing has to be taken from it any more.</param>
    public StorageSet(
        SandboxEnvironment environment, StepExecutor executor, MachineStep machine, GuestConnectStep guest, Func<bool> lost) =>
        (_environment, _executor, _machine, _guest, _lost) = (environment, executor, machine, guest, lost);

    /// <summary>In the order in which they came; those that are coming or going are among them.</summary>
    public IReadOnlyList<PodStorage> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _storages];
            }
        }
    }

    /// <summary>Opens what the machine is to start with. What was opened is closed again when one cannot be.</summary>
    /// <exception cref="StorageException">A file cannot be a disk.</exception>
    public IReadOnlyList<DeviceStep> Open(IReadOnlyList<StoragePlan> plans)
    {
        try
        {
            foreach (StoragePlan plan in plans)
            {
                PodStorage storage = Make(plan, cold: true);
                lock (_gate)
                {
                    _names.Add(plan.Name);
                    _storages.Add(storage);
                }
            }
        }
        catch
        {
            foreach (PodStorage storage in All)
            {
                storage.Disk.Dispose();
            }

            throw;
        }

        return [.. All.Select(static storage => storage.Disk)];
    }

    /// <summary>Gives the guest, which is up, what the machine started with.</summary>
    /// <exception cref="AgentException">It cannot take one.</exception>
    public Task EnterAsync(CancellationToken cancellationToken) =>
        _executor.RunAsync([.. All.SelectMany(static storage => storage.Steps).Except(_executor.Done)], cancellationToken);

    /// <summary>Gives a storage, or a container's root file system, to the running pod.</summary>
    /// <exception cref="SandboxStateException">There is one of its name, or the pod ends.</exception>
    /// <exception cref="StorageException">The file cannot be a disk.</exception>
    /// <exception cref="HypervisorException">The machine takes none while it runs, has no place left, or the VMM refused.</exception>
    /// <exception cref="AgentException">The guest cannot take it.</exception>
    public async Task<PodStorage> AddAsync(StoragePlan plan, CancellationToken cancellationToken)
    {
        string action = $"add {plan.Text}";
        // Before a file is opened for it: what the machine cannot do it says by itself.
        var device = new DiskDevice(new DeviceId("any"), plan.ReadOnly, IsBlockDevice: false);
        if (_machine.Machine.Capabilities.RefusalOf(device, running: true) is { } refusal)
        {
            throw SandboxStateException.Refused(action, $"{refusal}. Give it to the pod before that starts, or use another machine_type");
        }

        lock (_gate)
        {
            if (!plan.IsRoot && !_names.Add(plan.Name))
            {
                throw SandboxStateException.StorageExists(plan.Name);
            }
        }

        PodStorage? made = null;
        try
        {
            made = Make(plan, cold: false);
            made.UnderWay = "being added";
            lock (_gate)
            {
                _storages.Add(made);
            }

            await WhileAliveAsync(action, token => _executor.RunAsync(made.Steps, token), cancellationToken);
            made.UnderWay = null;
            return made;
        }
        catch (Exception error)
        {
            if (made?.Steps.Any(_executor.Done.Contains) == true)
            {
                // The guest does not let go of the device: it stays in the list, and its image in use, until somebody removes it.
                made.UnderWay = null;
                _environment.Log.PlanWarning(
                    $"The guest could not be given {plan.Text}, whose disk is still in its machine: {error.Message}. "
                        + (plan.IsRoot ? "It goes with the pod" : "Remove it with 'kata-runtime storage remove'"));
                throw;
            }

            Forget(plan, made);
            made?.Disk.Dispose(); // of a run that did not come so far; twice does no harm
            throw;
        }
    }

    /// <summary>Takes a storage from the running pod.</summary>
    /// <exception cref="SandboxStateException">There is none of the name, or it comes or goes just now.</exception>
    /// <exception cref="AgentException">Something in the guest uses it; nothing has changed.</exception>
    /// <exception cref="HypervisorException">
    /// The guest does not let go of the device, or the VMM refused. The call may be repeated.
    /// </exception>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        string action = $"remove the storage '{name}'";
        PodStorage storage;
        lock (_gate)
        {
            storage = _storages.FirstOrDefault(item => item.Plan.Name == name && !item.Plan.IsRoot)
                ?? throw SandboxStateException.NoStorage(name);
            if (storage.UnderWay is { } other)
            {
                throw SandboxStateException.Refused(action, $"it is {other} just now. Wait for that");
            }

            storage.UnderWay = "being removed";
        }

        try
        {
            await WhileAliveAsync(action, token => _executor.UndoAsync(storage.Steps, token), cancellationToken);
            Forget(storage.Plan, storage);
        }
        finally
        {
            storage.UnderWay = null;
        }
    }

    /// <summary>
    /// Takes a container's root file system from the running pod; that container is gone from the guest. What fails stays in the machine
    /// until the pod ends.
    /// </summary>
    /// <exception cref="SandboxStateException">The pod ends, and the root file system with it.</exception>
    /// <exception cref="AgentException">Something in the guest uses it.</exception>
    /// <exception cref="HypervisorException">The guest does not let go of the device, or the VMM refused.</exception>
    public async Task RemoveRootAsync(PodStorage root, CancellationToken cancellationToken)
    {
        await WhileAliveAsync($"remove {root.Plan.Text}", token => _executor.UndoAsync(root.Steps, token), cancellationToken);
        Forget(root.Plan, root);
    }

    /// <summary>The same for a container that does not come to be. What fails is logged.</summary>
    public async Task AbandonRootAsync(PodStorage root)
    {
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(() => RemoveRootAsync(root, CancellationToken.None));
        if (cleanUp.Failure is { } failure)
        {
            _environment.Log.PlanWarning($"{failure.Message}. The root file system of '{root.Plan.Name}' goes with the pod");
        }
    }

    /// <summary>
    /// Before the machine ends: nobody adds or removes any more, and what is mounted is unmounted, so that what the guest has still to
    /// write is written. What it does not let go of is logged: a journal is replayed at the next mount.
    /// </summary>
    /// <param name="guestLives">Whether it can be asked.</param>
    public async Task CloseAsync(bool guestLives)
    {
        await _ending.CancelAsync();
        Task[] others;
        lock (_gate)
        {
            others = [.. _underWay];
        }

        await Task.WhenAll(others);
        IEnumerable<PodStorage> mounted = guestLives
            ? All.Where(static item => item.Plan is { MountPoint: not null, ReadOnly: false }).Reverse()
            : [];
        using var limit = new CancellationTokenSource(s_unmountTimeout, _environment.Time);
        foreach (PodStorage storage in mounted)
        {
            try
            {
                await _executor.UndoAsync([storage.Steps[^1]], limit.Token);
            }
            catch (AgentException error)
            {
                _environment.Log.PlanWarning(error.Message);
            }
        }

        _ended = true;
    }

    private void Forget(StoragePlan plan, PodStorage? storage)
    {
        lock (_gate)
        {
            if (!plan.IsRoot)
            {
                _names.Remove(plan.Name);
            }

            if (storage is not null)
            {
                _storages.Remove(storage);
            }
        }
    }

    private PodStorage Make(StoragePlan plan, bool cold)
    {
        DiskImage image = DiskImage.Open(plan.Source, plan.ReadOnly, _environment.CallerMountNamespace);
        try
        {
            if (plan is { MountPoint: not null, FileSystem: null })
            {
                plan = plan with
                {
                    FileSystem = image.FindFileSystem() ?? throw new StorageException(
                        $"Cannot mount '{plan.Source}' in the guest: it has no file system that is known by its first bytes. "
                        + "Name it, or make one, for example with 'mkfs.ext4'"),
                };
            }

            DeviceId id;
            lock (_gate)
            {
                id = new DeviceId(string.Create(CultureInfo.InvariantCulture, $"disk{++_devices}"));
            }

            var disk = new DiskStep(id, plan, image);
            var plug = new PlugStep(disk, _machine, cold, IsOver);
            return new PodStorage(plan, disk, plug, new GuestStorageStep(plan, plug, id, _guest, IsOver));
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    private bool IsOver() => _ended || _lost();

    private async Task WhileAliveAsync(string action, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        // Ends early on: the caller, or the pod's end.
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_ending.IsCancellationRequested)
            {
                throw SandboxStateException.Refused(action, "its pod is about to end");
            }

            _underWay.Add(done.Task);
        }

        try
        {
            await work(both.Token);
        }
        finally
        {
            lock (_gate)
            {
                _underWay.Remove(done.Task);
            }

            done.SetResult();
        }
    }
}
