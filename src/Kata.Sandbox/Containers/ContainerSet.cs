using System.Diagnostics.CodeAnalysis;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// The containers of a pod, from the beginning of their creation until they are deleted, and what they add up to on the host. Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle to dispose of: nobody asks for one")]
internal sealed class ContainerSet(SandboxPlan plan, SandboxEnvironment environment, Func<IEnumerable<int>> machineProcesses)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Container> _containers = new(StringComparer.Ordinal); // guarded by _gate
    private readonly SemaphoreSlim _limiting = new(1, 1); // one who writes the host's limits at a time, with what is so by then
    private readonly OomPriority _priority = new(); // guarded by _limiting

    /// <summary>Those that have not been deleted.</summary>
    public IReadOnlyList<Container> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _containers.Values];
            }
        }
    }

    /// <exception cref="SandboxStateException">There is one of its id.</exception>
    public void Add(Container container)
    {
        lock (_gate)
        {
            if (!_containers.TryAdd(container.Plan.Id.Value, container))
            {
                throw SandboxStateException.AlreadyExists("create the container", "a container", container.Plan.Id.Value);
            }
        }
    }

    /// <summary>Null when there is none of the id.</summary>
    public Container? Find(string id)
    {
        lock (_gate)
        {
            return _containers.GetValueOrDefault(id);
        }
    }

    /// <summary>Takes it out, unless another bears its id by now.</summary>
    /// <returns>How many are left.</returns>
    public int Remove(Container container)
    {
        lock (_gate)
        {
            if (_containers.GetValueOrDefault(container.Plan.Id.Value) == container)
            {
                _containers.Remove(container.Plan.Id.Value);
            }

            return _containers.Count;
        }
    }

    /// <summary>
    /// The containers that live, by what stands for their namespaces. This process stands for the pod's first one when nobody else does,
    /// or, in a pod without, for the pod.
    /// </summary>
    public PodNamespaces Namespaces(IHostFiles files) => new(
        plan.Id,
        Environment.ProcessId,
        [
            .. All.Where(static item => item.Status != ContainerStatus.Stopped)
                .Select(static item => new PodNamespaces.Holder(item.Plan, item.StandInPid)),
        ],
        files);

    /// <summary>Has the host allow the pod what its containers may use now, and end it in their place when memory is short.</summary>
    /// <exception cref="LinuxException">The host cannot keep one of the limits.</exception>
    public void ApplyToHost()
    {
        _limiting.Wait(); // for as long as a few writes to files of the kernel's take
        try
        {
            IReadOnlyList<Container> all = All;
            Container[] working = [.. Working(all)];
            environment.LimitsChanged(HostLimits.Plan(
                [.. working.Select(static item => item.Resources.Current)], plan.Machine, plan.BaseVcpus,
                all.FirstOrDefault(static item => item.Plan.IsPodSandbox)?.Resources.Current));
            IEnumerable<int?> scores = working.Select(static item => item.Plan.Bundle.Spec.Process?.OomScoreAdj);
            if (_priority.Apply([.. scores], machineProcesses()) is { } problem)
            {
                environment.Log.PlanWarning(problem);
            }
        }
        finally
        {
            _limiting.Release();
        }
    }

    /// <summary>What the containers may use together and the machine does not have, as a sentence; null when it has all.</summary>
    public string? Shortage() => SandboxSize.ShortageOf(
        [.. Working(All).Select(static item => item.Resources.Current)],
        new MachineSize(plan.Machine.VcpuCount, (long)plan.Machine.MemoryMib << 20));

    // What Kubernetes calls the sandbox is a container too, one that does nothing but hold the pod together.
    private static IEnumerable<Container> Working(IReadOnlyList<Container> all) => all.Where(static item => !item.Plan.IsPodSandbox);
}
