namespace Kata.Linux;

/// <summary>
/// Groups for some threads of a process that is itself in another group: a machine's processors are limited, its monitor is not.
/// </summary>
/// <remarks>
/// Version 1 puts a thread into any group of a hierarchy. Version 2 keeps the threads of a process below one group, its resource domain
/// (Documentation/admin-guide/cgroup-v2.rst, "Threads"): the threads' group is a threaded one below the group of the process, and only
/// <c>cpu</c>, <c>cpuset</c> and <c>pids</c> work in it. Memory belongs to the process in both.
/// </remarks>
internal sealed partial class CgroupSet
{
    /// <summary>Of version 2: the threads' group below the process's.</summary>
    private const string ThreadedChild = "vcpus";

    private static readonly string[] s_schedulers = ["cpu", "cpuset", "cpuacct"];

    /// <summary>Every place outside the process's own groups where <see cref="CreateForThreads"/> may make one.</summary>
    /// <exception cref="ArgumentException">The path has <c>..</c> or names no group.</exception>
    public static IReadOnlyList<string> PlanForThreads(CgroupLayout layout, string path) =>
        [.. ForThreads(layout).Where(static item => !item.IsUnified)
            .Select(hierarchy => HostCgroup.Combine(hierarchy.MountPoint, path))
            .Distinct()];

    /// <summary>Makes the groups that threads can be scheduled in. A process must be in <paramref name="processPath"/> already.</summary>
    /// <param name="layout">The host's hierarchies.</param>
    /// <param name="path">Where the group is with version 1.</param>
    /// <param name="processPath">The group of the process that has the threads; with version 2 theirs is below it.</param>
    /// <exception cref="ArgumentException">A path has <c>..</c> or names no group.</exception>
    public static CgroupSet CreateForThreads(CgroupLayout layout, string path, string processPath)
    {
        var groups = new List<HostCgroup>();
        string problem = "the host has no control group hierarchy with the controller cpu";
        foreach (CgroupHierarchy hierarchy in ForThreads(layout))
        {
            try
            {
                HostCgroup group = HostCgroup.Create(hierarchy, hierarchy.IsUnified ? $"{processPath}/{ThreadedChild}" : path);
                group.MakeThreaded();
                groups.Add(group);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                problem = $"their control group cannot be made: {error.Message}";
            }
        }

        return new CgroupSet(groups, groups.Count == 0 ? $"Nothing limits the processors of the pod: {problem}" : null);
    }

    /// <summary>Moves one thread into the group; threads that it starts later are born there.</summary>
    /// <exception cref="IOException">The thread is gone, or a hierarchy refuses it.</exception>
    public void JoinThread(int threadId)
    {
        foreach (HostCgroup group in _groups)
        {
            group.JoinThread(threadId);
        }
    }

    /// <summary>Removes the groups of threads whose processes have ended.</summary>
    /// <exception cref="TimeoutException">One is still busy after <paramref name="limit"/>.</exception>
    public Task RemoveEmptyAsync(TimeSpan limit, CancellationToken cancellationToken) => RemoveGroupsAsync(limit, cancellationToken);

    private static IEnumerable<CgroupHierarchy> ForThreads(CgroupLayout layout) => layout.Hierarchies
        .Where(static item => (item.IsUnified ? CgroupDirectories.ControllersOf(item.MountPoint) : item.Controllers)
            .Any(s_schedulers.Contains))
        .DistinctBy(static item => item.MountPoint);
}
