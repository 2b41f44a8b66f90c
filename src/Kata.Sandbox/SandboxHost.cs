using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// What one pod has on the host besides its machine: its place on disk, the ids that it claims, its journal, its control group, and the
/// order in which all of it goes. Made in the process that serves the pod.
/// </summary>
internal sealed class SandboxHost : IDisposable
{
    /// <summary>Between two looks for the pod's directory: as seldom as the agent is asked whether it lives.</summary>
    private static readonly TimeSpan s_directoryInterval = TimeSpan.FromSeconds(30);

    private readonly SandboxHostOptions _options;
    private readonly SafeFileDescriptor _directory; // kept, so that its number means no other while we live
    private readonly StepExecutor _executor;
    private readonly ContainerIndex _index;
    private CgroupStep? _cgroup; // from the boot on

    /// <summary>Records this process. The directory exists already, made by whoever started us.</summary>
    public SandboxHost(SandboxHostOptions options)
    {
        _options = options;
        Directories = new SandboxDirectories(options.Root);
        _index = new ContainerIndex(Directories);
        _directory = LinuxException.ThrowIfInvalid(
            LibC.open(Directories.Sandbox(options.Sandbox), LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0),
            "open", $"open the directory of the pod '{options.Sandbox}'");
        Journal = AcquisitionJournal.Open(Directories.Journal(options.Sandbox));
        // First ourselves: whoever removes the pod from now on ends us before anything else.
        Journal.Record(new ServiceAcquisition(ProcessIdentity.Of(Environment.ProcessId)!));
        _executor = new StepExecutor(Journal);
    }

    public SandboxDirectories Directories { get; }

    public AcquisitionJournal Journal { get; }

    /// <summary>What the pod's processes have used, as far as the host counts it.</summary>
    public CgroupUsage Usage => _cgroup?.Usage ?? default;

    /// <summary>Boots the pod in its control group.</summary>
    public async Task<PodSandbox> BootAsync(SandboxPlan plan, CancellationToken cancellationToken)
    {
        CgroupStep cgroup = _cgroup ?? new CgroupStep(plan.Cgroup, plan.ProcessorCgroup, _options.Log);
        if (_cgroup is null) // else this is the second attempt of one who holds the pod
        {
            await _executor.RunAsync([cgroup], cancellationToken);
            _cgroup = cgroup;
        }

        var environment = new SandboxEnvironment
        {
            Directories = Directories,
            Journal = Journal,
            Store = new FileSandboxStore(Directories),
            Hypervisor = _options.Hypervisors.Find(plan.Hypervisor),
            CallerMountNamespace = _options.CallerMountNamespace,
            HookCaller = _options.HookCaller,
            Log = _options.Log,
            Time = _options.Time,
            ProcessorsFound = cgroup.PlaceProcessors,
            LimitsChanged = cgroup.Limit,
            OutOfMemory = _options.OutOfMemory,
        };
        return await PodSandbox.CreateAsync(plan, environment, new ColdMachineSource(environment), cancellationToken);
    }

    /// <summary>
    /// Counts a process of somebody else's as the pod's: engines read what a container uses from the group of the process that they know.
    /// It is left alone when the pod ends.
    /// </summary>
    public void Adopt(int pid)
    {
        try
        {
            _cgroup?.Adopt(pid);
        }
        catch (IOException error)
        {
            _options.Log.PlanWarning(error.Message); // it has ended, or nobody will read its figures
        }
    }

    /// <summary>The end of <see cref="Adopt"/>.</summary>
    public void Forget(int pid) => _cgroup?.Forget(pid);

    /// <summary>Whether the id is this pod's: a create may have been called off while it was on its way to us.</summary>
    public bool IsClaimed(ContainerId container) => _index.Find(container) == _options.Sandbox;

    /// <summary>Claims an id for a container of this pod. False when it is taken.</summary>
    public bool TryClaim(ContainerId container) => _index.TryClaim(container, _options.Sandbox);

    /// <summary>What tells this pod's claim of an id from a later one; null when the id is not this pod's.</summary>
    public ContainerClaim? ClaimOf(ContainerId container) => IsClaimed(container) ? _index.Stamp(container) : null;

    /// <summary>Gives a container's id back, unless that claim of it has ended already: a later one is another container's.</summary>
    public void Release(ContainerId container, ContainerClaim? claim)
    {
        if (claim is not null && ClaimOf(container) == claim)
        {
            _index.Release(container);
        }
    }

    /// <summary>
    /// Removes what is left of a pod that has ended: the doors, the control group, the directory, the ids. The process may end then,
    /// whatever could not be removed.
    /// </summary>
    /// <param name="closeDoors">Closes the ways by which others reach the pod.</param>
    /// <exception cref="Exception">
    /// The first failure. The directory, with its record of what is left, and the ids are there for a remover then.
    /// </exception>
    public async Task EndAsync(Func<Task> closeDoors)
    {
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(closeDoors);
        await cleanUp.TryAsync(_executor.UndoAllAsync);
        if (cleanUp.Failure is null)
        {
            cleanUp.Try(RemoveDirectory);
        }

        cleanUp.ThrowIfFailed();
    }

    /// <summary>
    /// Completes when somebody has removed the pod's directory, or put another in its place: nobody can reach this process any more.
    /// </summary>
    public async Task DirectoryGoneAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(s_directoryInterval, _options.Time);
        while (HasDirectory)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Closes what is open. Nothing is removed.</summary>
    public void Dispose()
    {
        Journal.Dispose();
        _directory.Dispose();
    }

    private bool HasDirectory
    {
        get
        {
            string directory = Directories.Sandbox(_options.Sandbox);
            using SafeFileDescriptor now = LibC.open(directory, LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0);
            return now.IsInvalid
                ? LinuxException.FromLastErrno("open", $"look for '{directory}'").Errno is not (Errno.ENOENT or Errno.ENOTDIR)
                : FileStatus.Of(now).IsSameFile(FileStatus.Of(_directory));
        }
    }

    private void RemoveDirectory()
    {
        string directory = Directories.Sandbox(_options.Sandbox);
        if (HasDirectory)
        {
            DirectoryTree.Remove(directory);
        }

        if (Path.Exists(directory))
        {
            return; // ours was removed before, and the one that is there now is a later pod's, as its ids are
        }

        // The ids last: if we are killed before, whoever deletes one of them still finds the rest.
        foreach ((ContainerId container, SandboxId sandbox) in _index.All())
        {
            if (sandbox == _options.Sandbox)
            {
                _index.Release(container);
            }
        }
    }
}
