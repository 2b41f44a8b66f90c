using System.Globalization;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// The control group that holds every process of a pod, on hosts with version 1, version 2 or both. On a host with none, or where
/// none can be written, it holds nothing and says why (<see cref="Problem"/>): a pod never fails for it.
/// </summary>
internal sealed class HostCgroup
{
    private const string ProcessesFile = "cgroup.procs";

    /// <summary>Between two looks at a group whose last process is already gone: the kernel empties it a moment later and tells nobody.</summary>
    private static readonly TimeSpan s_emptyingPause = TimeSpan.FromMilliseconds(5);

    private readonly string? _ownerDirectory;
    private readonly TimeProvider _time;

    private HostCgroup(string? directory, string? mountPoint, string? ownerDirectory, string? problem, TimeProvider? timeProvider)
    {
        Directory = directory;
        MountPoint = mountPoint;
        _ownerDirectory = ownerDirectory;
        Problem = problem;
        _time = timeProvider ?? TimeProvider.System;
    }

    /// <summary>The group's directory, for the state file; null when there is none.</summary>
    public string? Directory { get; }

    /// <summary>Why there is no group, for one warning; null when there is.</summary>
    public string? Problem { get; }

    private string? MountPoint { get; }

    /// <summary>Every place where <see cref="Create"/> may make the group, so that all can be recorded before one exists.</summary>
    public static IReadOnlyList<string> Plan(CgroupLayout layout, string path) =>
        [.. layout.ForTracking.Select(hierarchy => Combine(hierarchy.MountPoint, path)).Distinct()];

    /// <summary>Makes the group <paramref name="path"/> (<c>/kata/ID</c>) in the first hierarchy that lets us.</summary>
    /// <exception cref="ArgumentException">The path has <c>..</c> or empty names.</exception>
    public static HostCgroup Create(CgroupLayout layout, string path, TimeProvider? timeProvider = null)
    {
        string problem = "the host has no control group hierarchy that can track processes";
        foreach (CgroupHierarchy hierarchy in layout.ForTracking)
        {
            string directory = Combine(hierarchy.MountPoint, path);
            try
            {
                System.IO.Directory.CreateDirectory(directory);
                // A directory on a tmpfs where a hierarchy should be, or a kernel that refuses: only the file proves it.
                if (File.Exists(Path.Combine(directory, ProcessesFile)))
                {
                    return new HostCgroup(directory, hierarchy.MountPoint, hierarchy.SelfDirectory, null, timeProvider);
                }

                problem = $"'{directory}' is not a control group";
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                problem = $"'{directory}' cannot be made: {error.Message}";
            }
        }

        return new HostCgroup(null, null, null, problem, timeProvider);
    }

    /// <summary>The group that an earlier process made and recorded, for clean-up; one that is gone is as good as removed.</summary>
    public static HostCgroup Open(CgroupLayout layout, string directory, TimeProvider? timeProvider = null)
    {
        CgroupHierarchy? hierarchy = layout.Hierarchies.FirstOrDefault(
            item => directory.StartsWith(item.MountPoint + "/", StringComparison.Ordinal) && !directory.Split('/').Contains(".."));
        return hierarchy is null
            ? new HostCgroup(null, null, null, $"'{directory}' is in no control group hierarchy", timeProvider)
            : new HostCgroup(directory, hierarchy.MountPoint, hierarchy.SelfDirectory, null, timeProvider);
    }

    /// <summary>Moves a process, all its threads, into the group; its later children are born there.</summary>
    public void Join(int processId) => Write(Directory, processId);

    /// <summary>Moves this process back to where it was when the group was made, so that the group can become empty.</summary>
    public void Leave() => Write(_ownerDirectory, Environment.ProcessId);

    /// <summary>Every process in the group and the groups below it.</summary>
    public IReadOnlyList<int> Processes()
    {
        var processes = new List<int>();
        foreach (string group in Groups())
        {
            try
            {
                processes.AddRange(File.ReadLines(Path.Combine(group, ProcessesFile)).Select(static line => int.Parse(line, CultureInfo.InvariantCulture)));
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
    /// <exception cref="TimeoutException">After <paramref name="limit"/> some still live, for example in an uninterruptible sleep.</exception>
    public async Task KillAllAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        // Ends early on: the caller (cancellationToken) or the limit.
        try
        {
            while (Others() is { Count: > 0 } processes)
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
                $"Cannot end the processes {string.Join(", ", Others())} of the control group '{Directory}': they live after {limit.TotalSeconds:0.#} s. Look at their stacks in /proc");
        }
    }

    /// <summary>Removes the group, the groups below it, and those above it that are then empty. Its processes must be gone or be going.</summary>
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
                        $"Cannot remove the control group '{group}': busy after {limit.TotalSeconds:0.#} s. End its processes: {string.Join(", ", Processes())}");
                }

                await Task.Delay(s_emptyingPause, _time, cancellationToken);
            }
        }

        for (string? parent = Path.GetDirectoryName(Directory); parent is not null && parent != MountPoint && IsOurs(parent); parent = Path.GetDirectoryName(parent))
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
            throw new ArgumentException($"The control group path '{PrintableText.Escape(path)}' names no group beneath the hierarchy", nameof(path));
        }

        return $"{mountPoint}/{string.Join('/', names)}";
    }

    // Only what we make by ourselves goes: an orchestrator's own parents stay, even when empty.
    private bool IsOurs(string parent) => parent == MountPoint + "/kata";

    private List<int> Others() => [.. Processes().Where(static process => process != Environment.ProcessId)];

    private async Task KillAsync(int process, CancellationToken cancellationToken)
    {
        SafeFileDescriptor pidfd = LibC.pidfd_open(process);
        if (pidfd.IsInvalid)
        {
            pidfd.Dispose();
            await Task.Delay(s_emptyingPause, _time, cancellationToken); // gone, but perhaps still listed
            return;
        }

        using var ended = new PolledDescriptor(pidfd);
        // The number may have been given to another process between the list and the open; then it is listed no more.
        if (Processes().Contains(process) && LibC.pidfd_send_signal(pidfd, Signals.SIGKILL) == 0)
        {
            await ended.WaitReadableAsync(cancellationToken);
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
        if (Directory is null || !System.IO.Directory.Exists(Directory))
        {
            return [];
        }

        try
        {
            return [Directory, .. System.IO.Directory.EnumerateDirectories(Directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        }
        catch (IOException)
        {
            return [Directory]; // some went away while we looked
        }
    }

    private static void Write(string? directory, int processId)
    {
        if (directory is null)
        {
            return;
        }

        try
        {
            File.WriteAllText(Path.Combine(directory, ProcessesFile), processId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Cannot move the process {processId} to the control group '{directory}'", error);
        }
    }
}
