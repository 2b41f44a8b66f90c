using System.Globalization;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>One control group in one hierarchy: a directory with processes in it.</summary>
internal sealed class HostCgroup
{
    /// <summary>What a pod's own group is called below a group that somebody else named: <c>kata_ID</c>.</summary>
    public const string LeafPrefix = "kata_";

    private const string ProcessesFile = "cgroup.procs";

    /// <summary>Between two looks at a group whose last process is gone: the kernel empties it a moment later and tells nobody.</summary>
    private static readonly TimeSpan s_emptyingPause = TimeSpan.FromMilliseconds(5);

    private readonly TimeProvider _time;

    private HostCgroup(CgroupHierarchy hierarchy, string directory, TimeProvider? timeProvider)
    {
        (Hierarchy, Directory) = (hierarchy, directory);
        _time = timeProvider ?? TimeProvider.System;
    }

    public CgroupHierarchy Hierarchy { get; }

    /// <summary>The group's directory, for the journal.</summary>
    public string Directory { get; }

    /// <summary>
    /// Makes the group <paramref name="path"/> (<c>/kata/ID</c>), and those above it that are missing, ready to hold processes and limits.
    /// </summary>
    /// <exception cref="ArgumentException">The path has <c>..</c> or names no group.</exception>
    /// <exception cref="IOException">The hierarchy does not let us.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static HostCgroup Create(CgroupHierarchy hierarchy, string path, TimeProvider? timeProvider = null)
    {
        string directory = Combine(hierarchy.MountPoint, path);
        CgroupDirectories.Make(hierarchy, directory);
        // A directory on a tmpfs where a hierarchy should be, or a kernel that refuses: only the file proves it.
        return File.Exists(Path.Combine(directory, ProcessesFile))
            ? new HostCgroup(hierarchy, directory, timeProvider)
            : throw new IOException($"'{directory}' is not a control group");
    }

    /// <summary>The group that an earlier process recorded, for clean-up; null when no hierarchy of this host has the directory.</summary>
    public static HostCgroup? Open(CgroupLayout layout, string directory, TimeProvider? timeProvider = null) =>
        layout.Hierarchies.FirstOrDefault(
            item => directory.StartsWith(item.MountPoint + "/", StringComparison.Ordinal) && !directory.Split('/').Contains(".."))
            is { } hierarchy
            ? new HostCgroup(hierarchy, directory, timeProvider)
            : null;

    /// <summary>Moves a process, all its threads, into the group; its later children are born there.</summary>
    public void Join(int processId) => Write(Directory, ProcessesFile, processId);

    /// <summary>Moves one thread into the group, which must be of version 1 or threaded.</summary>
    public void JoinThread(int threadId) => Write(Directory, Hierarchy.IsUnified ? "cgroup.threads" : "tasks", threadId);

    /// <summary>Makes the group one of threads of processes that are in the group above it. Version 1 knows no difference.</summary>
    /// <exception cref="IOException">The kernel refuses: the group above has controllers that cannot be divided by threads.</exception>
    public void MakeThreaded()
    {
        if (Hierarchy.IsUnified)
        {
            File.WriteAllText(Path.Combine(Directory, "cgroup.type"), "threaded");
        }
    }

    /// <summary>
    /// Moves this process back to where it was when the group was made, so that the group can become empty; where that is gone, as a
    /// session's is after its end, or takes nobody any more, to the nearest group above it that does.
    /// </summary>
    /// <exception cref="IOException">None does, not even the topmost.</exception>
    public void Leave()
    {
        for (string directory = Hierarchy.SelfDirectory; ; directory = Path.GetDirectoryName(directory)!)
        {
            try
            {
                Write(directory, ProcessesFile, Environment.ProcessId);
                return;
            }
            catch (IOException) when (directory.StartsWith(Hierarchy.MountPoint + "/", StringComparison.Ordinal))
            {
                // Of version 2 also one whose controllers are given to the groups below it.
            }
        }
    }

    /// <summary>Every process in the group and the groups below it.</summary>
    public IReadOnlyList<int> Processes()
    {
        var processes = new List<int>();
        foreach (string group in Groups())
        {
            try
            {
                processes.AddRange(File.ReadLines(Path.Combine(group, ProcessesFile)).Select(static line =>
                    int.Parse(line, CultureInfo.InvariantCulture)));
            }
            catch (IOException)
            {
                // Removed meanwhile.
            }
        }

        return processes;
    }

    /// <summary>
    /// Kills every process in the group except this one, and those they start meanwhile, and returns when they have ended.
    /// </summary>
    /// <param name="limit">How long that may take.</param>
    /// <param name="spared">Processes that end by themselves.</param>
    /// <param name="cancellationToken">Calls it off.</param>
    /// <exception cref="TimeoutException">After <paramref name="limit"/> some still live, perhaps in an uninterruptible sleep.</exception>
    public async Task KillAllAsync(TimeSpan limit, IReadOnlySet<int> spared, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        // Ends early on: the caller (cancellationToken) or the limit.
        try
        {
            while (Others(spared) is { Count: > 0 } processes)
            {
                foreach (int process in processes)
                {
                    await KillAsync(process, either.Token);
                }
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"Cannot end the processes {string.Join(", ", Others(spared))} of the control group '{Directory}': "
                + $"they live after {limit.TotalSeconds:0.#} s. Look at their stacks in /proc");
        }
    }

    /// <summary>Removes the group, those below it, and those above it that are then empty. Its processes must be gone or going.</summary>
    /// <exception cref="TimeoutException">It is still busy after <paramref name="limit"/>.</exception>
    public async Task RemoveAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        foreach (string group in Groups().Reverse())
        {
            while (!TryRemove(group))
            {
                if (_time.GetElapsedTime(start) > limit)
                {
                    throw new TimeoutException(
                        $"Cannot remove the control group '{group}': busy after {limit.TotalSeconds:0.#} s. "
                        + $"End its processes: {string.Join(", ", Processes())}");
                }

                await Task.Delay(s_emptyingPause, _time, cancellationToken);
            }
        }

        for (string parent = Path.GetDirectoryName(Directory)!;
             parent != Hierarchy.MountPoint && IsOurs(parent);
             parent = Path.GetDirectoryName(parent)!)
        {
            if (!TryRemove(parent))
            {
                return; // another pod lives there
            }
        }
    }

    internal static string Combine(string mountPoint, string path)
    {
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0 || names.Any(static name => name is "." or ".." || name.Contains('\0', StringComparison.Ordinal)))
        {
            throw new ArgumentException(
                $"The control group path '{PrintableText.Escape(path)}' names no group beneath the hierarchy", nameof(path));
        }

        return $"{mountPoint}/{string.Join('/', names)}";
    }

    // Whoever named a container's group expects it to go with the container, as with runc. The groups above it stay, even when
    // empty, except in our own part of the hierarchy.
    private bool IsOurs(string parent)
    {
        string top = parent[(Hierarchy.MountPoint.Length + 1)..].Split('/')[0];
        return top is "kata" or "kata_overhead"
            || (parent == Path.GetDirectoryName(Directory) && Path.GetFileName(Directory).StartsWith(LeafPrefix, StringComparison.Ordinal));
    }

    private List<int> Others(IReadOnlySet<int> spared) =>
        [.. Processes().Where(process => process != Environment.ProcessId && !spared.Contains(process))];

    private async Task KillAsync(int process, CancellationToken cancellationToken)
    {
        using PidFd? member = PidFd.TryOpen(process);
        if (member is null)
        {
            await Task.Delay(s_emptyingPause, _time, cancellationToken); // gone, but perhaps still listed
            return;
        }

        // The number may have been given to another process between the list and the open; then it is listed no more.
        if (Processes().Contains(process) && member.Kill(Signals.SIGKILL))
        {
            await member.WaitAsync(cancellationToken);
        }
    }

    private static bool TryRemove(string group)
    {
        if (LibC.rmdir(group) == 0)
        {
            return true;
        }

        LinuxException error = LinuxException.FromLastErrno("rmdir", $"remove the control group '{group}'");
        return error.Errno == Errno.ENOENT || (error.Errno is Errno.EBUSY or Errno.ENOTEMPTY ? false : throw error);
    }

    // Parents before children.
    private IReadOnlyList<string> Groups()
    {
        if (!System.IO.Directory.Exists(Directory))
        {
            return [];
        }

        try
        {
            IEnumerable<string> below = System.IO.Directory.EnumerateDirectories(Directory, "*", SearchOption.AllDirectories);
            return [Directory, .. below.Order(StringComparer.Ordinal)];
        }
        catch (IOException)
        {
            return [Directory]; // some went away while we looked
        }
    }

    private static void Write(string directory, string file, int id)
    {
        try
        {
            File.WriteAllText(Path.Combine(directory, file), id.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"Cannot move the {(file == ProcessesFile ? "process" : "thread")} {id} to the control group '{directory}'", error);
        }
    }
}
