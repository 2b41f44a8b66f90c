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

    /// <summary>What nobody waits for takes what nobody else wants.</summary>
    private static readonly CgroupLimits s_whileWarming = new() { CpuShares = 2 };

    private SandboxHostOptions _options;
    private readonly SafeFileDescriptor _directory; // kept, so that its number means no other while we live
    private readonly StepExecutor _executor;
    private ContainerIndex _index;
    private CgroupStep? _cgroup; // from the boot on
    private CgroupStep? _warmCgroup; // where the machine waits
    private WarmMachine? _warm; // until a pod takes it

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

    public SandboxDirectories Directories { get; private set; }

    public AcquisitionJournal Journal { get; }

    /// <summary>What the pod's processes have used, as far as the host counts it.</summary>
    public CgroupUsage Usage => _cgroup?.Usage ?? default;

    /// <summary>Makes a machine that waits for its pod, in a control group of its own.</summary>
    /// <param name="plan">A pod without a container, whose id is this one's.</param>
    /// <param name="key">What the machine is made of.</param>
    /// <param name="cancellationToken">Calls it off.</param>
    public async Task<WarmMachine> WarmAsync(SandboxPlan plan, string key, CancellationToken cancellationToken)
    {
        var cgroup = new CgroupStep(plan.Cgroup, processors: null, _options.Log);
        await _executor.RunAsync([cgroup], cancellationToken);
        _warmCgroup = cgroup;
        cgroup.Limit(s_whileWarming);
        return _warm = await WarmMachine.BootAsync(plan, key, EnvironmentOf(plan, cgroup), cancellationToken);
    }

    /// <summary>
    /// Has the process, with the machine that waits in it, be the one of a pod from now on: its directory gets the pod's name.
    /// </summary>
    /// <param name="options">The pod's.</param>
    /// <exception cref="SandboxStateException">There is a pod of that name.</exception>
    /// <exception cref="LinuxException">EXDEV: the other state root is on another file system.</exception>
    public void Become(SandboxHostOptions options)
    {
        var directories = new SandboxDirectories(options.Root);
        try
        {
            DirectoryTree.Move(Directories.Sandbox(_options.Sandbox), directories.Sandbox(options.Sandbox));
        }
        catch (LinuxException error) when (error.Errno == Errno.EEXIST)
        {
            throw SandboxStateException.AlreadyExists("create the pod", "a pod", options.Sandbox.Value);
        }

        (_options, Directories, _index) = (options, directories, new ContainerIndex(directories));
        Journal.MoveTo(directories.Journal(options.Sandbox));
    }

    /// <summary>Boots the pod in its control group.</summary>
    public async Task<PodSandbox> BootAsync(SandboxPlan plan, CancellationToken cancellationToken)
    {
        CgroupStep cgroup = _cgroup ?? new CgroupStep(plan.Cgroup, plan.ProcessorCgroup, _options.Log);
        if (_cgroup is null) // else this is the second attempt of one who holds the pod
        {
            await _executor.RunAsync([cgroup], cancellationToken);
            _cgroup = cgroup;
            await LeaveWarmGroupAsync(cgroup, cancellationToken);
        }

        SandboxEnvironment environment = EnvironmentOf(plan, cgroup);
        IMachineSource source = new ColdMachineSource(environment);
        if (_warm is { } warm)
        {
            _warm = null; // a second attempt makes its own
            source = new WarmMachineSource(warm, _options.KeyOf, source, environment);
        }

        return await PodSandbox.CreateAsync(plan, environment, source, cancellationToken);
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
        if (_warm is { } warm) // nobody has asked for a machine
        {
            _warm = null;
            await cleanUp.TryAsync(async () => await warm.DisposeAsync());
        }

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

    private SandboxEnvironment EnvironmentOf(SandboxPlan plan, CgroupStep cgroup) => new()
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

    private async Task LeaveWarmGroupAsync(CgroupStep cgroup, CancellationToken cancellationToken)
    {
        if (_warmCgroup is { } waited)
        {
            _warmCgroup = null;
            cgroup.TakeOver(waited);
            await _executor.UndoAsync([waited], cancellationToken);
        }
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
