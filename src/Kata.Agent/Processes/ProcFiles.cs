using System.Globalization;
using System.Text;
using Kata.Agent.Protocol.Extension;

namespace Kata.Agent.Processes;

/// <summary>Reads proc(5). A container chooses its processes' names and arguments: they are bounded and never trusted.</summary>
internal static class ProcFiles
{
    private const int CommandLimit = 4096;
    private const int TicksPerSecond = 100; // USER_HZ, the same on every architecture here

    /// <summary>The processes of a container as its own pid namespace numbers them, in that order.</summary>
    /// <param name="pids">In the guest's namespace.</param>
    /// <param name="init">The container's first process, whose namespace counts; it may have ended.</param>
    public static IReadOnlyList<GuestProcess> DescribeAll(IEnumerable<int> pids, int init)
    {
        int level = LevelOf(init);
        ulong uptimeMs = (ulong)Environment.TickCount64;
        ulong memory = TotalMemoryBytes(File.ReadAllText("/proc/meminfo"));
        var result = new List<GuestProcess>();
        foreach (int pid in pids)
        {
            if (Describe(pid, level) is { } process)
            {
                process.AgeMs = uptimeMs > process.StartedMs ? uptimeMs - process.StartedMs : 0;
                process.ResidentPermille = memory == 0 ? 0 : (uint)(process.ResidentBytes * 1000 / memory);
                result.Add(process);
            }
        }

        var numbers = new Dictionary<int, int>();
        foreach (GuestProcess process in result)
        {
            numbers[process.GuestPid] = process.Pid;
        }

        foreach (GuestProcess process in result)
        {
            process.ContainerParentPid = numbers.GetValueOrDefault(process.ParentPid);
        }

        result.Sort(static (left, right) => left.Pid.CompareTo(right.Pid));
        return result;
    }

    /// <summary>The children of a process, their children and so on, as they are now.</summary>
    public static List<int> DescendantsOf(int ancestor)
    {
        var parents = new Dictionary<int, int>();
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && Describe(pid, 0) is { } process)
            {
                parents[pid] = process.ParentPid;
            }
        }

        var found = new List<int>();
        foreach (int pid in parents.Keys)
        {
            if (IsBelow(pid))
            {
                found.Add(pid);
            }
        }

        return found;

        bool IsBelow(int pid)
        {
            for (int steps = 0; steps < parents.Count && parents.TryGetValue(pid, out int parent); steps++)
            {
                if (parent == ancestor)
                {
                    return true;
                }

                pid = parent;
            }

            return false;
        }
    }

    /// <summary>Null when the texts are not what the kernel writes.</summary>
    /// <param name="pid">In the guest's namespace.</param>
    /// <param name="stat"><c>/proc/PID/stat</c>.</param>
    /// <param name="status"><c>/proc/PID/status</c>.</param>
    /// <param name="commandLine"><c>/proc/PID/cmdline</c>.</param>
    /// <param name="level">
    /// How many pid namespaces the container's is below the guest's; a process has a number in each down to its own.
    /// </param>
    internal static GuestProcess? Parse(int pid, string stat, string status, ReadOnlySpan<byte> commandLine, int level)
    {
        int open = stat.IndexOf('(', StringComparison.Ordinal), close = stat.LastIndexOf(')'); // the name may hold both
        string[] fields = close > open ? stat[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
        if (open < 0 || fields.Length < 22)
        {
            return null;
        }

        string name = stat[(open + 1)..close];
        string arguments = Encoding.UTF8.GetString(commandLine).TrimEnd('\0').Replace('\0', ' ');
        return new GuestProcess
        {
            GuestPid = pid,
            Pid = (int)At(status, "NSpid:", level, (ulong)pid),
            Name = name,
            Command = arguments.Length > 0 ? arguments : $"[{name}]",
            Uid = (uint)At(status, "Uid:", 1, 0), // the effective one, as ps
            Gid = (uint)At(status, "Gid:", 1, 0),
            State = fields[0],
            ParentPid = (int)Number(fields[1]),
            GroupId = (int)At(status, "NSpgid:", level, Number(fields[2])),
            SessionId = (int)At(status, "NSsid:", level, Number(fields[3])),
            Terminal = (int)Number(fields[4]),
            Foreground = fields[4] != "0" && fields[5] == fields[2],
            Nice = int.TryParse(fields[16], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int nice) ? nice : 0,
            Threads = (uint)Number(fields[17]),
            StartedMs = Number(fields[19]) * 1000 / TicksPerSecond,
            CpuMs = (Number(fields[11]) + Number(fields[12])) * 1000 / TicksPerSecond,
            VirtualBytes = Number(fields[20]),
            ResidentBytes = Number(fields[21]) * (ulong)Environment.SystemPageSize,
        };
    }

    /// <summary>MemTotal of /proc/meminfo, 0 when it is not there.</summary>
    internal static ulong TotalMemoryBytes(string text) => First(text, "MemTotal:") * 1024;

    private static ulong First(string text, string key) => Values(text, key) is [var first, ..] ? Number(first) : 0;

    // The last one when there are not as many: the process is in an outer namespace.
    private static ulong At(string text, string key, int index, ulong otherwise) =>
        Values(text, key) is { Length: > 0 } values ? Number(values[Math.Min(index, values.Length - 1)]) : otherwise;

    private static int LevelOf(int init)
    {
        try
        {
            return Math.Max(0, Values(File.ReadAllText($"/proc/{init}/status"), "NSpid:").Length - 1);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return int.MaxValue; // ended: the innermost number of each is the best guess
        }
    }

    // Null when it has ended meanwhile.
    private static GuestProcess? Describe(int pid, int level)
    {
        try
        {
            string status = File.ReadAllText($"/proc/{pid}/status");
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            using FileStream file = File.OpenRead($"/proc/{pid}/cmdline");
            byte[] command = new byte[CommandLimit];
            int length = file.ReadAtLeast(command, command.Length, throwOnEndOfStream: false);
            return Parse(pid, stat, status, command.AsSpan(0, length), level);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string[] Values(string text, string key)
    {
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                return line[key.Length..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            }
        }

        return [];
    }

    private static ulong Number(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : 0;
}
