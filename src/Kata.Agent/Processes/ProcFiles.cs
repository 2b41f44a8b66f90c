using System.Globalization;
using System.Text;
using Kata.Agent.Protocol.Extension;

namespace Kata.Agent.Processes;

/// <summary>Reads proc(5). A container chooses its processes' names and arguments: they are bounded and never trusted.</summary>
internal static class ProcFiles
{
    private const int CommandLimit = 4096;
    private const int TicksPerSecond = 100; // USER_HZ, the same on every architecture here
    private const int PageSize = 4096;

    /// <summary>A process's description, or null when it has ended meanwhile.</summary>
    public static GuestProcess? Describe(int pid)
    {
        try
        {
            string status = File.ReadAllText($"/proc/{pid}/status");
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            using FileStream file = File.OpenRead($"/proc/{pid}/cmdline");
            byte[] command = new byte[CommandLimit];
            int length = file.ReadAtLeast(command, command.Length, throwOnEndOfStream: false);
            return Parse(pid, stat, status, command.AsSpan(0, length));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Null when the texts are not what the kernel writes.</summary>
    internal static GuestProcess? Parse(int pid, string stat, string status, ReadOnlySpan<byte> commandLine)
    {
        int open = stat.IndexOf('(', StringComparison.Ordinal), close = stat.LastIndexOf(')'); // the name may hold both
        string[] fields = close > open ? stat[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
        if (open < 0 || fields.Length < 22)
        {
            return null;
        }

        string arguments = Encoding.UTF8.GetString(commandLine).TrimEnd('\0').Replace('\0', ' ');
        return new GuestProcess
        {
            GuestPid = pid,
            Pid = (int)Last(status, "NSpid:", (ulong)pid),
            Command = arguments.Length > 0 ? arguments : $"[{stat[(open + 1)..close]}]",
            Uid = (uint)First(status, "Uid:"),
            State = fields[0],
            ParentPid = (int)Number(fields[1]),
            Threads = (uint)Number(fields[17]),
            StartedMs = Number(fields[19]) * 1000 / TicksPerSecond,
            CpuMs = (Number(fields[11]) + Number(fields[12])) * 1000 / TicksPerSecond,
            ResidentBytes = Number(fields[21]) * PageSize,
        };
    }

    /// <summary>MemTotal of /proc/meminfo, 0 when it is not there.</summary>
    internal static ulong TotalMemoryBytes(string text) => First(text, "MemTotal:") * 1024;

    private static ulong First(string text, string key) => Values(text, key) is [var first, ..] ? Number(first) : 0;

    private static ulong Last(string text, string key, ulong otherwise) => Values(text, key) is [.., var last] ? Number(last) : otherwise;

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

    private static ulong Number(string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : 0;
}
