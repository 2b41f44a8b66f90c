using System.Collections.Concurrent;
using Kata.Configuration;
using Kata.Containerd.Protocol.Events;
using Kata.Hypervisor;
using Kata.Hypervisor.Qemu;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>What a pod's service process owns around the pod itself: its place, journal, cgroup, sockets and background work.</summary>
internal sealed class PodHost : IAsyncDisposable
{
    /// <summary>The VMM and virtiofsd have ended; the kernel takes a moment to take them out of the group.</summary>
    private static readonly TimeSpan s_cgroupTimeout = TimeSpan.FromSeconds(5);

    private readonly ServiceOptions _options;
    private readonly SandboxDirectories _directories;
    private readonly AcquisitionJournal _journal;
    private readonly HostCgroup _cgroup;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, byte> _background = new();
    private readonly ContainerIndex _index;

    /// <summary>Records and makes what the pod needs before its VM. The directory exists already, made by whoever started us.</summary>
    public PodHost(ServiceOptions options, ILogger log)
    {
        _options = options;
        _directories = new SandboxDirectories(options.Root);
        _index = new ContainerIndex(_directories);
        _journal = AcquisitionJournal.Open(_directories.Journal(options.Sandbox));
        // First ourselves: whoever removes the pod from now on ends us before anything else.
        _journal.Record(AcquisitionKind.Service, ProcessIdentity.Of(System.Environment.ProcessId)!.ToString());
        // Every process of the pod is born inside: whatever happens to us, one kill of the group ends them all.
        CgroupLayout layout = CgroupLayout.Read();
        string group = _directories.Cgroup(options.Sandbox);
        foreach (string planned in HostCgroup.Plan(layout, group))
        {
            _journal.Record(AcquisitionKind.Cgroup, planned);
        }

        _cgroup = HostCgroup.Create(layout, group);
        _cgroup.Join(System.Environment.ProcessId);
        if (_cgroup.Problem is { } problem)
        {
            log.PlanWarning(problem);
        }

        StandIns = new StandInServer(_directories.StandInSocket(options.Sandbox), _journal, TimeProvider.System);
        Environment = new SandboxEnvironment
        {
            Directories = _directories,
            Journal = _journal,
            Hypervisor = new QemuFactory(),
            CallerMountNamespace = options.CallerMountNamespace,
            Log = log,
            Time = TimeProvider.System,
            OutOfMemory = container => Events.Publish(TaskService.OomTopic, new TaskOOM { ContainerId = container.Value }),
        };
    }

    public SandboxId Sandbox => _options.Sandbox;

    public StandInServer StandIns { get; }

    /// <summary>What happens to the containers.</summary>
    public EventHub Events { get; } = new(TimeProvider.System);

    public SandboxEnvironment Environment { get; }

    /// <summary>Cancelled when the service ends; work that belongs to the pod and not to one caller listens to it.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>The plan of the pod whose first container this is.</summary>
    public SandboxPlan PlanSandbox(RuntimeSpec spec) => SandboxPlanner.Plan(
        _options.Sandbox,
        ConfigurationAnnotations.Apply(KataConfiguration.Load(_options.Configuration), spec.Annotations),
        AcceleratorProbe.Decide(VirtualizationFacts.Read()),
        spec);

    /// <summary>Keeps background work until it ends; its end is awaited when the service stops.</summary>
    public void Track(Task work)
    {
        _background[work] = 0;
        _ = work.ContinueWith(static (done, all) => ((ConcurrentDictionary<Task, byte>)all!).TryRemove(done, out _), _background, TaskScheduler.Default);
    }

    /// <summary>Whether the id is this pod's: a create may have been called off while it was on its way to us.</summary>
    public bool IsClaimed(ContainerId container) => _index.Find(container) == _options.Sandbox;

    /// <summary>Gives a container's id back.</summary>
    public void Release(ContainerId container) => _index.Release(container);

    /// <summary>Removes what is on disk. The pod is gone; the process ends soon after.</summary>
    public async Task EndAsync()
    {
        await StandIns.DisposeAsync();
        _cgroup.Leave();
        await _cgroup.KillAllAsync(s_cgroupTimeout, CancellationToken.None); // a child that outlived its parent, for example virtiofsd's
        await _cgroup.RemoveAsync(s_cgroupTimeout, CancellationToken.None);
        DirectoryTree.Remove(_directories.Sandbox(_options.Sandbox));
        // The ids last: if we are killed before, whoever deletes one of them still finds the rest.
        foreach ((ContainerId container, SandboxId sandbox) in _index.All())
        {
            if (sandbox == _options.Sandbox)
            {
                _index.Release(container);
            }
        }

        Events.Complete();
        Environment.Log.SandboxGone(_options.Sandbox);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await StandIns.DisposeAsync();
        await Task.WhenAll(_background.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _journal.Dispose();
        _stopping.Dispose();
    }
}
