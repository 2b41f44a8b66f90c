using System.Globalization;
using Kata.Agent.Cgroups;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Storage;
using Kata.Linux;

namespace Kata.Agent.Containers;

/// <summary>A container and the processes the host started in it.</summary>
internal sealed class Container(ContainerId id, string directory, Cgroup cgroup) : IDisposable
{
    /// <summary>Ended processes whose host never collected them; the oldest goes when there is one more.</summary>
    private const int EndedLimit = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ContainerProcess> _processes = new(StringComparer.Ordinal); // guarded by _gate
    private readonly Dictionary<string, Beginning> _starting = new(StringComparer.Ordinal); // guarded by _gate

    private int _files; // interlocked

    public ContainerId Id { get; } = id;

    /// <summary>The bundle: config.json and what the agent notes beside it.</summary>
    public string Directory { get; } = directory;

    public Cgroup Cgroup { get; } = cgroup;

    /// <summary>Attached for this container, in this order.</summary>
    public List<IAttachedStorage> Storages { get; } = [];

    /// <summary>Mounts inside the shared file system that it uses, as others may.</summary>
    public List<string> SharedMounts { get; } = [];

    /// <summary>The same of what was mounted in it later, by its place. One change at a time: <see cref="Turn"/>.</summary>
    public Dictionary<string, IReadOnlyList<string>> Added { get; } = new(StringComparer.Ordinal);

    /// <summary>Where its files are in the guest.</summary>
    public string RootPath { get; init; } = "";

    /// <summary>The specification has hooks that crun itself must run after the start.</summary>
    public bool HasPoststartHooks { get; init; }

    public bool HasDeleteHooks { get; init; }

    /// <summary>What runs in it before its program does, or null.</summary>
    public StartContainerHooks? StartContainerHooks { get; init; }

    /// <summary>What the specification says of its first process beyond the common protocol; its hooks have it too.</summary>
    public ProcessExtension? ProcessExtension { get; init; }

    /// <summary>Where its processes say that they are ready, or null.</summary>
    public DatagramReceiver? Notifications { get; set; }

    /// <summary>Whether the host listens to <see cref="Notifications"/>; interlocked.</summary>
    public int Listeners;

    /// <summary>One change of state at a time.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    public bool Started { get; set; }

    /// <summary>The first process; set once, when crun has made it.</summary>
    public ContainerProcess Init { get; private set; } = null!;

    /// <summary>
    /// A path beside its bundle that no other call has, for what crun is told and tells. Whoever makes the file deletes it.
    /// </summary>
    /// <param name="purpose">A word for people.</param>
    public string NewFile(string purpose) =>
        string.Create(CultureInfo.InvariantCulture, $"{Directory}/{purpose}-{Interlocked.Increment(ref _files)}");

    public void SetInit(ContainerProcess process)
    {
        Init = process;
        lock (_gate)
        {
            _processes[Id.Value] = process;
        }
    }

    /// <summary>
    /// Keeps a name for a process that is about to start. One that has ended has it no more: the host uses a name again when it knows of
    /// the end.
    /// </summary>
    /// <param name="execId">The name.</param>
    /// <param name="beginning">The caller's; disposed after <see cref="Settle"/>.</param>
    /// <exception cref="Grpc.Core.RpcException">AlreadyExists.</exception>
    public void Reserve(string execId, Beginning beginning)
    {
        ContainerProcess? ended;
        lock (_gate)
        {
            if ((_processes.TryGetValue(execId, out ended) && (ended == Init || !ended.Exited.IsCompleted))
                || !_starting.TryAdd(execId, beginning))
            {
                throw AgentException.Exists($"Cannot start the process '{execId}': the container '{Id}' has one of that name");
            }

            _processes.Remove(execId);
        }

        ended?.Dispose();
    }

    /// <summary>Ends a reservation, with the process or, after a failure, without.</summary>
    /// <returns>Whether the process is kept: not one that was called off meanwhile, which is the caller's to end.</returns>
    public bool Settle(string execId, ContainerProcess? process)
    {
        ContainerProcess? surplus = null;
        bool kept;
        lock (_gate)
        {
            _starting.Remove(execId, out Beginning? beginning);
            kept = process is not null && beginning is not { IsCalledOff: true };
            if (kept)
            {
                _processes[execId] = process!;
                ContainerProcess[] ended =
                    [.. _processes.Values.Where(item => item != Init && item.Exited.IsCompleted && item.Stdio.Attached == 0)];
                if (ended.Length > EndedLimit)
                {
                    surplus = ended[0];
                    _processes.Remove(surplus.ExecId);
                }
            }
        }

        surplus?.Dispose();
        return kept;
    }

    /// <summary>A process that is being started, or null.</summary>
    public Beginning? FindStarting(string execId)
    {
        lock (_gate)
        {
            return _starting.GetValueOrDefault(execId);
        }
    }

    /// <summary>An empty name, or the container's own, is its first process.</summary>
    /// <exception cref="Grpc.Core.RpcException">NotFound.</exception>
    public ContainerProcess Get(string execId) => Find(execId)
        ?? throw AgentException.NotFound($"Cannot find the process '{execId}' of the container '{Id}': it does not exist");

    /// <summary>The same, or null.</summary>
    public ContainerProcess? Find(string execId)
    {
        lock (_gate)
        {
            return _processes.GetValueOrDefault(execId.Length == 0 ? Id.Value : execId);
        }
    }

    /// <summary>Forgets a further process that ended, was waited for and was read to its end.</summary>
    public void Collect(ContainerProcess process)
    {
        lock (_gate)
        {
            if (process == Init || !process.Finished || _processes.GetValueOrDefault(process.ExecId) != process)
            {
                return; // the name may be another's already
            }

            _processes.Remove(process.ExecId);
        }

        process.Dispose();
    }

    public void Dispose()
    {
        Notifications?.Dispose();
        ContainerProcess[] all;
        lock (_gate)
        {
            all = [.. _processes.Values];
            _processes.Clear();
        }

        foreach (ContainerProcess process in all)
        {
            process.Dispose();
        }
    }
}
