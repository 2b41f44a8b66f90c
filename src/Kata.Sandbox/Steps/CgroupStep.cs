using System.Collections.Concurrent;
using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Sandbox;

/// <summary>
/// The control groups of the pod, with this process inside: every process of the pod is born there, and whatever happens to us, one kill of
/// the group ends them all.
/// </summary>
/// <param name="path">The group of all of the pod's processes.</param>
/// <param name="processors">The group of the machine's processors, or null where the first one is limited.</param>
/// <param name="log">For what the host cannot do.</param>
internal sealed class CgroupStep(string path, string? processors, ILogger log) : Step
{
    /// <summary>The VMM and virtiofsd have ended; the kernel takes a moment to take them out of the group.</summary>
    private static readonly TimeSpan s_removeTimeout = TimeSpan.FromSeconds(5);

    private readonly CgroupLayout _layout = CgroupLayout.Read();
    private readonly ConcurrentDictionary<int, byte> _guests = new(); // processes in the group that are not the pod's to end
    private readonly HashSet<string> _unkept = []; // limits that were warned of; used by one caller at a time
    private CgroupSet? _group;
    private bool _left; // everybody in it is another group's now
    private CgroupSet? _processors;

    public override string Name => $"the control group '{path}'";

    public override IReadOnlyList<Acquisition> Records =>
    [
        .. CgroupSet.Plan(_layout, path).Select(static planned => new CgroupAcquisition(planned)),
        .. processors is null ? [] : CgroupSet.PlanForThreads(_layout, processors).Select(static planned => new CgroupAcquisition(planned)),
    ];

    /// <summary>What the pod's processes have used, as far as the host counts it.</summary>
    public CgroupUsage Usage => _group?.ReadUsage() ?? default;

    public override async Task DoAsync(CancellationToken cancellationToken)
    {
        _group = CgroupSet.Create(_layout, path);
        try
        {
            Enter(_group);
        }
        catch
        {
            await UndoAsync(CancellationToken.None);
            throw;
        }
    }

    // A child may have outlived its parent, for example virtiofsd's. Guests have been told what they wait for.
    public override async Task UndoAsync(CancellationToken cancellationToken)
    {
        var cleanUp = new CleanUp();
        await cleanUp.TryAsync(() => _left
            ? _group!.RemoveEmptyAsync(s_removeTimeout, cancellationToken)
            : _group!.RemoveAsync(s_removeTimeout, _guests.Keys.ToHashSet(), cancellationToken));
        await cleanUp.TryAsync(() => _processors?.RemoveEmptyAsync(s_removeTimeout, cancellationToken) ?? Task.CompletedTask);
        cleanUp.ThrowIfFailed();
    }

    /// <summary>Takes over everybody who is in another group, which is then only to be undone.</summary>
    /// <exception cref="IOException">The host refuses.</exception>
    public void TakeOver(CgroupStep other)
    {
        if (other._group is { } from && _group is { } to)
        {
            from.MoveTo(to);
        }

        other._left = true;
    }

    /// <summary>Counts a process of somebody else's as the pod's. It is left alone at the end.</summary>
    /// <exception cref="IOException">It has ended.</exception>
    public void Adopt(int pid)
    {
        _group?.Join(pid);
        _guests[pid] = 0;
    }

    /// <summary>The end of <see cref="Adopt"/>.</summary>
    public void Forget(int pid) => _guests.TryRemove(pid, out _);

    /// <summary>Puts the threads of the machine's processors where they are limited.</summary>
    public void PlaceProcessors(IReadOnlyList<int> threads)
    {
        foreach (int thread in threads)
        {
            _processors?.JoinThread(thread);
        }
    }

    /// <summary>
    /// Has the host allow the pod what is in <paramref name="limits"/>; what it has no means for is logged once. One caller at a time.
    /// </summary>
    /// <exception cref="LinuxException">The kernel refused one.</exception>
    public void Limit(CgroupLimits limits)
    {
        string[] missing = [.. (_processors?.Apply(limits.ForThreads()) ?? _group?.Apply(limits) ?? []).Where(_unkept.Add)];
        if (missing.Length > 0)
        {
            log.PlanWarning($"The host cannot keep the pod to {string.Join(", ", missing)}: no cgroup controller of this pod supports it");
        }
    }

    private void Enter(CgroupSet group)
    {
        group.Join(Environment.ProcessId);
        if (group.Problem is { } problem)
        {
            log.PlanWarning(problem);
        }
        else if (processors is not null)
        {
            _processors = CgroupSet.CreateForThreads(_layout, processors, path); // after the join: see there
            if (_processors.Problem is { } threads)
            {
                log.PlanWarning(threads);
            }
        }
    }
}
