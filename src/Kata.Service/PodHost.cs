using System.Collections.Concurrent;
using System.Threading.Channels;
using Kata.Configuration;
using Kata.Containerd.Protocol.Events;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>What a pod's service process owns around the pod itself: its place, journal, cgroup, sockets and background work.</summary>
internal sealed class PodHost : IAsyncDisposable
{
    private static readonly TimeSpan s_backgroundTimeout = TimeSpan.FromSeconds(5);

    private readonly ServiceOptions _options;
    private readonly SandboxHost _host;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, byte> _background = new();

    /// <summary>Records and makes what the pod needs before its VM. The directory exists already, made by whoever started us.</summary>
    /// <param name="options">The pod.</param>
    /// <param name="log">Where records go.</param>
    /// <param name="waiting">What waits in this process for a pod, and becomes this one's. Owned from then on. Null for nothing.</param>
    public PodHost(ServiceOptions options, ILogger log, SandboxHost? waiting = null)
    {
        (_options, Log) = (options, log);
        Files = new HostFileProbe(options.CallerMountNamespace, callerIsLater: waiting is not null);
        Events = new EventHub(Time, topic => log.EventLost(topic, "whoever listens is too far behind"));
        Limits = options.CallerLimits ?? ResourceLimits.Read();
        var sandbox = new SandboxHostOptions
        {
            Root = options.Root,
            Sandbox = options.Sandbox,
            Hypervisors = Drivers.Catalog,
            CallerMountNamespace = options.CallerMountNamespace,
            HookCaller = new HookCaller
            {
                MountNamespace = options.CallerMountNamespace,
                Variables = options.CallerVariables ?? CallerEnvironment.Read(),
                Umask = options.CallerUmask,
            },
            Log = log,
            Time = Time,
            OutOfMemory = container => Events.Publish(TaskEvents.OomTopic, new TaskOOM { ContainerId = container.Value }),
            KeyOf = static plan => MachineKey.Of(plan, FileStamp.Of),
        };
        waiting?.Become(sandbox);
        _host = waiting ?? new SandboxHost(sandbox);
        StandIns = new StandInServer(
            Directories.StandInSocket(options.Sandbox), _host.Journal, Time,
            error => log.Shortage(error.Message), error => log.BackgroundFailed(ServiceStatus.TextOf(error)));
    }

    public SandboxId Sandbox => _options.Sandbox;

    /// <summary>Whether containerd is our caller, and not the command line.</summary>
    public bool HasContainerd => _options.Containerd is not null;

    /// <summary>containerd's namespace of the pod; empty without containerd.</summary>
    public string ContainerdNamespace => _options.Containerd?.Namespace ?? "";

    public StandInServer StandIns { get; }

    /// <summary>What happens to the containers.</summary>
    public EventHub Events { get; }

    public ILogger Log { get; }

    public TimeProvider Time { get; } = TimeProvider.System;

    /// <summary>Where the pod lies.</summary>
    public SandboxDirectories Directories => _host.Directories;

    /// <summary>The mount namespace of whoever started us, or null for our own.</summary>
    public SafeFileDescriptor? CallerMountNamespace => _options.CallerMountNamespace;

    /// <summary>The host's files.</summary>
    public HostFileProbe Files { get; }

    /// <summary>What this process was started with: its caller's.</summary>
    public IReadOnlyList<ResourceLimit> Limits { get; }

    /// <summary>Cancelled when the service ends; work that belongs to the pod and not to one caller listens to it.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>The path below which mounts name what only the guest has. Nothing is there.</summary>
    public string FilesDirectory => Directories.Files(_options.Sandbox);

    /// <summary>Where whoever starts a container waits for its notifications.</summary>
    public string NotifySocket(ContainerId container) => Directories.NotifySocket(_options.Sandbox, container);

    /// <summary>What the pod's processes have used, as far as the host counts it.</summary>
    public CgroupUsage Usage => _host.Usage;

    /// <summary>Plans the pod.</summary>
    /// <param name="spec">Its first container's, or what stands for it.</param>
    /// <param name="configuration">A configuration file that the caller names, or null for the one of the service.</param>
    public SandboxPlan Plan(RuntimeSpec spec, string? configuration)
    {
        ConfigurationSources sources = configuration is null ? _options.Configuration : ConfigurationSources.ForHost(configuration);
        KataConfiguration loaded = ConfigurationAnnotations.Apply(KataConfiguration.Load(sources), spec.Annotations);
        SandboxPlan plan = DirectNetworkFile.Apply(
            SandboxPlanner.Plan(_options.Sandbox, loaded, Drivers.Probe(loaded), spec, Directories.Cgroup(_options.Sandbox)),
            loaded.Runtime.DirectNetworkDirectory);
        if (plan.Debug && Log is RecordLog log)
        {
            log.Lower(LogLevel.Debug);
        }

        return SandboxPlanner.Within(plan, spec, static path => CgroupBounds.Read(CgroupLayout.Read(), path));
    }

    /// <summary>Reads a container's bundle, as its caller sees it.</summary>
    public Bundle LoadBundle(string directory) => Files.AsCaller(() => Bundle.Load(directory));

    /// <summary>Has this process killed for want of memory as its caller would be, who did not start it.</summary>
    public void TakeScore(int score)
    {
        try
        {
            OomScore.Write(Environment.ProcessId, score);
        }
        catch (LinuxException error) // to lower it takes a right
        {
            Log.PlanWarning(error.Message);
        }
    }

    /// <inheritdoc cref="SandboxHost.BootAsync"/>
    public Task<PodSandbox> BootAsync(SandboxPlan plan, CancellationToken cancellationToken) => _host.BootAsync(plan, cancellationToken);

    /// <summary>Counts a detached stand-in's group as the pod's.</summary>
    public void Adopt(StandInSession standIn)
    {
        if (standIn.Hello.Detached) // a foreground one is its caller's process
        {
            _host.Adopt(standIn.Pid);
        }
    }

    /// <summary>The end of <see cref="Adopt"/>.</summary>
    public void Forget(StandInSession standIn) => _host.Forget(standIn.Pid);

    /// <summary>
    /// Makes the name by which containerd finds the service, and forwards every event from now on. Ends with the pod; at once without
    /// containerd.
    /// </summary>
    public Task ForwardEventsAsync()
    {
        if (_options.Containerd is not { } containerd)
        {
            return Task.CompletedTask;
        }

        _host.Journal.Record(new FileAcquisition(containerd.Socket));
        File.Delete(containerd.Socket); // a dead pod's of the same name
        File.CreateSymbolicLink(containerd.Socket, Directories.TaskSocket(_options.Sandbox));
        return ForwardAsync(containerd, Events.Join(EventForwarder.QueueLimit));
    }

    /// <summary>Keeps background work until it ends; its end is awaited when the service stops.</summary>
    public void Track(Task work)
    {
        work = work.LoggedAsync(Log);
        _background[work] = 0;
        _ = work.ContinueWith(
            static (done, all) => ((ConcurrentDictionary<Task, byte>)all!).TryRemove(done, out _), _background, TaskScheduler.Default);
    }

    /// <inheritdoc cref="SandboxHost.IsClaimed"/>
    public bool IsClaimed(ContainerId container) => _host.IsClaimed(container);

    /// <inheritdoc cref="SandboxHost.TryClaim"/>
    public bool TryClaim(ContainerId container) => _host.TryClaim(container);

    /// <inheritdoc cref="SandboxHost.ClaimOf"/>
    public ContainerClaim? ClaimOf(ContainerId container) => _host.ClaimOf(container);

    /// <inheritdoc cref="SandboxHost.Release"/>
    public void Release(ContainerId container, ContainerClaim? claim) => _host.Release(container, claim);

    /// <summary>Removes what is on disk. The pod is gone; the process ends soon after, whatever could not be removed.</summary>
    /// <exception cref="Exception">
    /// The first failure. The directory, with its record of what is left, and the ids are there for a remover then.
    /// </exception>
    public async Task EndAsync()
    {
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(() => _host.EndAsync(async () =>
        {
            await StandIns.DisposeAsync(); // they have been told their exits
            if (_options.Containerd is { } containerd)
            {
                File.Delete(containerd.Socket);
            }
        }));
        Events.Complete();
        if (cleanUp.Failure is { } failure)
        {
            Log.EndFailed(_options.Sandbox, ServiceStatus.TextOf(failure));
        }
        else
        {
            Log.SandboxGone(_options.Sandbox);
        }

        cleanUp.ThrowIfFailed();
    }

    /// <inheritdoc cref="SandboxHost.DirectoryGoneAsync"/>
    public Task DirectoryGoneAsync() => _host.DirectoryGoneAsync(Stopping);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await StandIns.DisposeAsync();
        // Most ends at once. What waits for something that never comes must not keep the process.
        await Task.WhenAny(Task.WhenAll(_background.Keys), Task.Delay(s_backgroundTimeout, Time));
        _host.Dispose();
        _stopping.Dispose();
    }

    private async Task ForwardAsync(ContainerdOptions containerd, Channel<Envelope> events)
    {
        await using var forwarder = new EventForwarder(containerd, Log, TimeProvider.System);
        await forwarder.RunAsync(events.Reader, CancellationToken.None);
    }
}
