using System.Collections.Immutable;
using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// A pod's control group in every hierarchy of the host, version 1, version 2 or both: what it uses is counted and limited there,
/// and one kill ends all of it. On a host with no hierarchy, or none that can be written, it holds nothing and says why
/// (<see cref="Problem"/>): a pod never fails for that.
/// </summary>
internal sealed partial class CgroupSet
{
    /// <summary>How long processes that end by themselves may take for that.</summary>
    private static readonly TimeSpan s_spareTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Whoever starts processes is moved himself in the first one.</summary>
    private const int MoveRounds = 10;

    private readonly IReadOnlyList<HostCgroup> _groups; // the one that tracks processes first
    private readonly HashSet<string> _written = []; // files with a limit in force; used by one caller at a time

    private CgroupSet(IReadOnlyList<HostCgroup> groups, string? problem) => (_groups, Problem) = (groups, problem);

    /// <summary>Why there is no group, for one warning; null when there is.</summary>
    public string? Problem { get; }

    /// <summary>The directories, the one that tracks processes first; empty when there is none.</summary>
    public IEnumerable<string> Directories => _groups.Select(static group => group.Directory);

    /// <summary>Every place where <see cref="Create"/> may make the group, so that all can be recorded before one exists.</summary>
    /// <exception cref="ArgumentException">The path has <c>..</c> or names no group.</exception>
    public static IReadOnlyList<string> Plan(CgroupLayout layout, string path) =>
        [.. layout.Hierarchies.Select(hierarchy => HostCgroup.Combine(hierarchy.MountPoint, path)).Distinct()];

    /// <summary>Makes the group <paramref name="path"/> (<c>/kata/ID</c>) in every hierarchy that lets us.</summary>
    /// <exception cref="ArgumentException">The path has <c>..</c> or names no group.</exception>
    public static CgroupSet Create(CgroupLayout layout, string path, TimeProvider? timeProvider = null)
    {
        var groups = new List<HostCgroup>();
        string problem = "the host has no control group hierarchy";
        foreach (CgroupHierarchy hierarchy in layout.ForTracking.Concat(layout.Hierarchies).DistinctBy(static item => item.MountPoint))
        {
            try
            {
                groups.Add(HostCgroup.Create(hierarchy, path, timeProvider));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                problem = $"its control group cannot be made: {error.Message}";
            }
        }

        return new CgroupSet(groups, groups.Count == 0 ? $"Nothing counts or limits what the pod uses: {problem}" : null);
    }

    /// <summary>Moves a process, all its threads, into the group; its later children are born there.</summary>
    /// <exception cref="IOException">The process is gone, or a hierarchy refuses it.</exception>
    public void Join(int processId)
    {
        foreach (HostCgroup group in _groups)
        {
            group.Join(processId);
        }
    }

    /// <summary>Moves everybody in it, with those that they start meanwhile, into another group.</summary>
    /// <exception cref="IOException">A hierarchy refuses a process that lives.</exception>
    public void MoveTo(CgroupSet other)
    {
        // Of each hierarchy, as groups that could not be made are missing on either side.
        for (int round = 0;
            round < MoveRounds && _groups.SelectMany(static group => group.Processes()).Distinct().ToArray() is { Length: > 0 } processes;
            round++)
        {
            foreach (int process in processes)
            {
                try
                {
                    other.Join(process);
                }
                catch (IOException) when (!Directory.Exists($"/proc/{process}"))
                {
                    // It has ended.
                }
            }
        }
    }

    /// <summary>
    /// Makes these the limits, where the host's kernel has them and no group above allows less; those that were set before and are not
    /// among them go. Returns those that the host cannot keep, by the names of <see cref="CgroupFile.Limit"/>.
    /// </summary>
    /// <exception cref="LinuxException">The kernel refuses a value, for example a processor that the host does not have.</exception>
    public IReadOnlyList<string> Apply(CgroupLimits limits)
    {
        HashSet<string> missing = Names(limits);
        foreach (HostCgroup group in _groups)
        {
            CgroupLimits own = CgroupBounds.Above(group.Hierarchy, group.Directory).Within(limits);
            missing.ExceptWith(Names(limits).Except(Names(own))); // a group above keeps them
            foreach (CgroupFile file in CgroupFiles.Of(own, group.Hierarchy.IsUnified))
            {
                string path = Path.Combine(group.Directory, file.Name);
                if (file.Value is null)
                {
                    if (_written.Remove(path))
                    {
                        string above = Path.Combine(Path.GetDirectoryName(group.Directory)!, file.Name);
                        Write(path, file.Unlimited ?? File.ReadAllText(above).TrimEnd());
                    }
                }
                else if (File.Exists(path))
                {
                    Write(path, file.Value);
                    _written.Add(path);
                    missing.Remove(file.Limit);
                }
            }
        }

        return _groups.Count == 0 ? [] : [.. missing.Order(StringComparer.Ordinal)]; // without a group Problem has said it all
    }

    private static HashSet<string> Names(CgroupLimits limits) =>
        [.. CgroupFiles.Of(limits, unified: true).Where(static file => file.Value is not null).Select(static file => file.Limit)];

    /// <summary>Takes this process back to where it was, ends all others and removes the group.</summary>
    /// <param name="limit">How long ending, and removing, may take each.</param>
    /// <param name="spared">Processes that end by themselves; they are killed too when they take long.</param>
    /// <param name="cancellationToken">Calls it off.</param>
    /// <exception cref="TimeoutException">A process does not end.</exception>
    public async Task RemoveAsync(TimeSpan limit, IReadOnlySet<int> spared, CancellationToken cancellationToken)
    {
        if (_groups is not [HostCgroup tracking, ..])
        {
            return;
        }

        var cleanUp = new CleanUp();
        foreach (HostCgroup group in _groups)
        {
            cleanUp.Try(group.Leave);
        }

        await cleanUp.TryAsync(() => tracking.KillAllAsync(limit, spared, cancellationToken));
        try
        {
            await RemoveGroupsAsync(spared.Count == 0 ? limit : s_spareTimeout, cancellationToken);
        }
        catch (TimeoutException) when (spared.Count > 0)
        {
            await cleanUp.TryAsync(() => tracking.KillAllAsync(limit, ImmutableHashSet<int>.Empty, cancellationToken));
            await cleanUp.TryAsync(() => RemoveGroupsAsync(limit, cancellationToken));
        }

        cleanUp.ThrowIfFailed();
    }

    private async Task RemoveGroupsAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var cleanUp = new CleanUp();
        foreach (HostCgroup group in _groups)
        {
            await cleanUp.TryAsync(() => group.RemoveAsync(limit, cancellationToken));
        }

        cleanUp.ThrowIfFailed();
    }

    private static void Write(string path, string value)
    {
        string action = $"limit the pod to '{value.TrimEnd()}' in '{path}'";
        using SafeFileDescriptor file = LinuxException.ThrowIfInvalid(LibC.open(path, LibC.O_WRONLY | LibC.O_CLOEXEC, 0), "open", action);
        try
        {
            DescriptorWriter.Write(file, Encoding.UTF8.GetBytes(value), action);
        }
        catch (LinuxException error)
        {
            throw new LinuxException(error.Call, action, error.Errno, "Give a limit that this host can keep, or leave it out");
        }
    }
}
