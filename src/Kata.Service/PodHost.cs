using System.Collections.Concurrent;
using System.Threading.Channels;
using Kata.Configuration;
using Kata.Containerd.Protocol.Events;
using Kata.Hypervisor;
using Kata.Hypervisor.Qemu;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Sandbox;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>What a pod's service process owns around the pod itself: its place, journal, cgroup, sockets and background work.</summary>
internal sealed class PodHost : IAsyncDisposable
{
    /// <summary>The VMM and virtiofsd have ended; the kernel takes a moment to take them out of the group.</summary>
    private static readonly TimeSpan s_cgroupTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Between two looks for the pod's directory: as seldom as the agent is asked whether it lives.</summary>
    private static readonly TimeSpan s_directoryInterval = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_backgroundTimeout = TimeSpan.FromSeconds(5);

    private readonly ServiceOptions _options;
    private readonly SandboxDirectories _directories;
    private readonly SafeFileDescriptor _directory; // kept, so that its number means no other while we live
    private readonly AcquisitionJournal _journal;
    private readonly ConcurrentDictionary<int, byte> _standIns = new(); // detached ones in the group
    private CgroupSet? _cgroup; // from the boot on
    private CgroupSet? _processors; // from the boot on, where the machine's processors are in groups of their own
    private readonly HashSet<string> _unkept = []; // limits that were warned of; used by one caller at a time
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, byte> _background = new();
    private readonly ContainerIndex _index;

    /// <summary>Records and makes what the pod needs before its VM. The directory exists already, made by whoever started us.</summary>
    public PodHost(ServiceOptions options, ILogger log)
    {
        _options = options;
        Files = new HostFileProbe(options.CallerMountNamespace);
        _directories = new SandboxDirectories(options.Root);
        _index = new ContainerIndex(_directories);
        _directory = LinuxException.ThrowIfInvalid(
            LibC.open(_directories.Sandbox(options.Sandbox), LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", $"open the directory of the pod '{options.Sandbox}'");
        _journal = AcquisitionJournal.Open(_directories.Journal(options.Sandbox));
        // First ourselves: whoever removes the pod from now on ends us before anything else.
        _journal.Record(new ServiceAcquisition(ProcessIdentity.Of(System.Environment.ProcessId)!));
        Events = new EventHub(TimeProvider.System, topic => log.EventLost(topic, "whoever listens is too far behind"));
        StandIns = new StandInServer(_directories.StandInSocket(options.Sandbox), _journal, TimeProvider.System, error => log.Shortage(error.Message), error => log.BackgroundFailed(ServiceStatus.TextOf(error)));
        Environment = new SandboxEnvironment
        {
            Directories = _directories,
            Journal = _journal,
            Hypervisor = new QemuDriver(),
            CallerMountNamespace = options.CallerMountNamespace,
            HookCaller = new HookCaller { MountNamespace = options.CallerMountNamespace, Variables = CallerEnvironment.Read(), Umask = options.CallerUmask },
            Log = log,
            Time = TimeProvider.System,
            ProcessorsFound = threads =>
            {
                foreach (int thread in threads)
                {
                    _processors?.JoinThread(thread);
                }
            },
            LimitsChanged = Limit,
            OutOfMemory = container => Events.Publish(TaskService.OomTopic, new TaskOOM { ContainerId = container.Value }),
        };
    }

    public SandboxId Sandbox => _options.Sandbox;

    /// <summary>Whether containerd is our caller, and not the command line.</summary>
    public bool HasContainerd => _options.Containerd is not null;

    /// <summary>containerd's namespace of the pod; empty without containerd.</summary>
    public string ContainerdNamespace => _options.Containerd?.Namespace ?? "";

    public StandInServer StandIns { get; }

    /// <summary>What happens to the containers.</summary>
    public EventHub Events { get; }

    public SandboxEnvironment Environment { get; }

    /// <summary>The host's files.</summary>
    public HostFileProbe Files { get; }

    /// <summary>What this process was started with: its caller's.</summary>
    public IReadOnlyList<ResourceLimit> Limits { get; } = ResourceLimits.Read();

    /// <summary>Cancelled when the service ends; work that belongs to the pod and not to one caller listens to it.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>The path below which mounts name what only the guest has. Nothing is there.</summary>
    public string FilesDirectory => _directories.Files(_options.Sandbox);

    /// <summary>Where whoever starts a container waits for its notifications.</summary>
    public string NotifySocket(ContainerId container) => _directories.NotifySocket(_options.Sandbox, container);

    /// <summary>What the pod's processes have used, as far as the host counts it.</summary>
    public CgroupUsage Usage => _cgroup?.ReadUsage() ?? default;

    /// <summary>Plans the pod.</summary>
    /// <param name="spec">Its first container's, or what stands for it.</param>
    /// <param name="configuration">A configuration file that the caller names, or null for the one of the service.</param>
    public SandboxPlan Plan(RuntimeSpec spec, string? configuration)
    {
        ConfigurationSources sources = configuration is null ? _options.Configuration : ConfigurationSources.ForHost(configuration);
        SandboxPlan plan = SandboxPlanner.Plan(
            _options.Sandbox,
            ConfigurationAnnotations.Apply(KataConfiguration.Load(sources), spec.Annotations),
            AcceleratorProbe.Decide(VirtualizationFacts.Read()),
            spec,
            _directories.Cgroup(_options.Sandbox));
        if (plan.Debug && Environment.Log is RecordLog log)
        {
            log.Lower(LogLevel.Debug);
        }

        return SandboxPlanner.Within(plan, spec, static path => CgroupBounds.Read(CgroupLayout.Read(), path));
    }

    /// <summary>Boots the pod in its control group.</summary>
    public Task<PodSandbox> BootAsync(SandboxPlan plan, CancellationToken cancellationToken)
    {
        EnterCgroup(plan.Cgroup, plan.ProcessorCgroup);
        return PodSandbox.CreateAsync(plan, Environment, cancellationToken);
    }

    /// <summary>
    /// Counts a detached stand-in's group as the pod's: engines read what a container uses from the group of the process that they know.
    /// </summary>
    public void Adopt(StandInSession standIn)
    {
        if (!standIn.Hello.Detached || _cgroup is null)
        {
            return; // a foreground one is its caller's process
        }

        try
        {
            _cgroup.Join(standIn.Pid);
            _standIns[standIn.Pid] = 0;
        }
        catch (IOException error)
        {
            Environment.Log.PlanWarning(error.Message); // it has ended, or nobody will read its figures
        }
    }

    /// <summary>The end of <see cref="Adopt"/>.</summary>
    public void Forget(StandInSession standIn) => _standIns.TryRemove(standIn.Pid, out _);

    /// <summary>
    /// Makes the name by which containerd finds the service, and forwards every event from now on. Ends with the pod; at once without containerd.
    /// </summary>
    public Task ForwardEventsAsync()
    {
        if (_options.Containerd is not { } containerd)
        {
            return Task.CompletedTask;
        }

        _journal.Record(new FileAcquisition(containerd.Socket));
        File.Delete(containerd.Socket); // a dead pod's of the same name
        File.CreateSymbolicLink(containerd.Socket, _directories.TaskSocket(_options.Sandbox));
        return ForwardAsync(containerd, Events.Join(EventForwarder.QueueLimit));
    }

    /// <summary>Keeps background work until it ends; its end is awaited when the service stops.</summary>
    public void Track(Task work)
    {
        work = work.LoggedAsync(Environment.Log);
        _background[work] = 0;
        _ = work.ContinueWith(static (done, all) => ((ConcurrentDictionary<Task, byte>)all!).TryRemove(done, out _), _background, TaskScheduler.Default);
    }

    /// <summary>Whether the id is this pod's: a create may have been called off while it was on its way to us.</summary>
    public bool IsClaimed(ContainerId container) => _index.Find(container) == _options.Sandbox;

    /// <summary>Claims an id for a container of this pod. False when it is taken.</summary>
    public bool TryClaim(ContainerId container) => _index.TryClaim(container, _options.Sandbox);

    /// <summary>Gives a container's id back.</summary>
    public void Release(ContainerId container) => _index.Release(container);

    /// <summary>Removes what is on disk. The pod is gone; the process ends soon after, whatever could not be removed.</summary>
    /// <exception cref="Exception">The first failure. The directory, with its record of what is left, and the ids are there for a remover then.</exception>
    public async Task EndAsync()
    {
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(() => StandIns.DisposeAsync().AsTask());
        if (_cgroup is { } cgroup)
        {
            // A child may have outlived its parent, for example virtiofsd's. Stand-ins have been told their exits.
            await cleanUp.TryAsync(() => cgroup.RemoveAsync(s_cgroupTimeout, _standIns.Keys.ToHashSet(), CancellationToken.None));
            await cleanUp.TryAsync(() => _processors?.RemoveEmptyAsync(s_cgroupTimeout, CancellationToken.None) ?? Task.CompletedTask);
        }

        if (_options.Containerd is { } containerd)
        {
            cleanUp.Try(() => File.Delete(containerd.Socket));
        }

        if (cleanUp.Failure is null)
        {
            cleanUp.Try(RemoveDirectory);
        }

        Events.Complete();
        if (cleanUp.Failure is { } failure)
        {
            Environment.Log.EndFailed(_options.Sandbox, ServiceStatus.TextOf(failure));
        }
        else
        {
            Environment.Log.SandboxGone(_options.Sandbox);
        }

        cleanUp.ThrowIfFailed();
    }

    /// <summary>Completes when somebody has removed the pod's directory, or put another in its place: nobody can reach this service any more.</summary>
    public async Task DirectoryGoneAsync()
    {
        using var timer = new PeriodicTimer(s_directoryInterval, Environment.Time);
        while (HasDirectory)
        {
            await timer.WaitForNextTickAsync(Stopping);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await StandIns.DisposeAsync();
        // Most ends at once. What waits for something that never comes must not keep the process.
        await Task.WhenAny(Task.WhenAll(_background.Keys), Task.Delay(s_backgroundTimeout, Environment.Time));
        _journal.Dispose();
        _directory.Dispose();
        _stopping.Dispose();
    }

    private bool HasDirectory
    {
        get
        {
            string directory = _directories.Sandbox(_options.Sandbox);
            using SafeFileDescriptor now = LibC.open(directory, LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0);
            return now.IsInvalid
                ? LinuxException.FromLastErrno("open", $"look for '{directory}'").Errno is not (Errno.ENOENT or Errno.ENOTDIR)
                : FileStatus.Of(now).IsSameFile(FileStatus.Of(_directory));
        }
    }

    private void RemoveDirectory()
    {
        string directory = _directories.Sandbox(_options.Sandbox);
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

    private async Task ForwardAsync(ContainerdOptions containerd, Channel<Envelope> events)
    {
        await using var forwarder = new EventForwarder(containerd, Environment.Log, TimeProvider.System);
        await forwarder.RunAsync(events.Reader, CancellationToken.None);
    }

    // Every process of the pod is born inside: whatever happens to us, one kill of the group ends them all.
    private void EnterCgroup(string path, string? processors)
    {
        CgroupLayout layout = CgroupLayout.Read();
        foreach (string planned in CgroupSet.Plan(layout, path).Concat(processors is null ? [] : CgroupSet.PlanForThreads(layout, processors)))
        {
            _journal.Record(new CgroupAcquisition(planned));
        }

        _cgroup = CgroupSet.Create(layout, path);
        _cgroup.Join(System.Environment.ProcessId);
        if (_cgroup.Problem is { } problem)
        {
            Environment.Log.PlanWarning(problem);
        }
        else if (processors is not null)
        {
            _processors = CgroupSet.CreateForThreads(layout, processors, path); // after the join: see there
            if (_processors.Problem is { } threads)
            {
                Environment.Log.PlanWarning(threads);
            }
        }
    }

    private void Limit(CgroupLimits limits)
    {
        string[] missing = [.. (_processors?.Apply(limits.ForThreads()) ?? _cgroup?.Apply(limits) ?? []).Where(_unkept.Add)];
        if (missing.Length > 0)
        {
            Environment.Log.PlanWarning($"The host cannot keep the pod to {string.Join(", ", missing)}: no cgroup controller of this pod supports it");
        }
    }
}
