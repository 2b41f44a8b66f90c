using System.Globalization;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>A process that cannot be confused with a later one of the same number.</summary>
/// <param name="Pid">Process id.</param>
/// <param name="StartTime">Field 22 of <c>/proc/PID/stat</c>: start, in clock ticks since boot.</param>
internal sealed record ProcessIdentity(int Pid, ulong StartTime)
{
    /// <summary>
    /// Fields of <c>/proc/PID/stat</c> after the command's closing bracket; proc(5) counts from 1 and the third comes first.
    /// </summary>
    private const int StartTimeIndex = 22 - 3;

    private const int SessionIndex = 6 - 3;

    /// <summary>The identity of a living process, or null when there is none (a zombie counts as none).</summary>
    public static ProcessIdentity? Of(int pid)
    {
        return ReadStat(pid) is { } stat && TryParseStat(stat, out char state, out ulong startTime) && state is not ('Z' or 'X')
            ? new ProcessIdentity(pid, startTime) : null;
    }

    /// <summary>The living processes of a session, by its number.</summary>
    public static IReadOnlyList<ProcessIdentity> OfSession(int session)
    {
        var members = new List<ProcessIdentity>();
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && ReadStat(pid) is { } stat && TryParseStat(stat, out char state, out ulong startTime) && state is not ('Z' or 'X')
                && stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[SessionIndex] == session.ToString(CultureInfo.InvariantCulture))
            {
                members.Add(new ProcessIdentity(pid, startTime));
            }
        }

        return members;
    }

    /// <summary>The process as the journal writes it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Pid} {StartTime}");

    /// <summary>Reads what <see cref="ToString"/> wrote; null when it is something else.</summary>
    public static ProcessIdentity? Parse(string text)
    {
        string[] words = text.Split(' ');
        return words.Length == 2
            && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
            && ulong.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong start)
                ? new ProcessIdentity(pid, start)
                : null;
    }

    /// <summary>
    /// Kills the process and waits for its end. By descriptor, checked after it was opened: the number cannot come to mean another process
    /// in between. One that has ended already is no error.
    /// </summary>
    /// <exception cref="TimeoutException">It does not end within <paramref name="limit"/>.</exception>
    public async Task KillAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using PidFd? process = PidFd.TryOpen(Pid);
        if (process is not null && IsAlive() && process.Kill(Signals.SIGKILL))
        {
            await process.WaitAsync(cancellationToken).WaitAsync(limit, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Whether a living process is stopped by a signal or a debugger, and so will not answer.</summary>
    public bool IsSuspended()
    {
        try
        {
            return TryParseStat(
                File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{Pid}/stat")), out char state, out ulong start)
                && start == StartTime && state is 'T' or 't';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string? ReadStat(int pid)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // ESRCH in the middle of the read, or ENOENT before it
        }
    }

    /// <summary>Whether this very process still lives.</summary>
    public bool IsAlive() => Of(Pid) == this;

    /// <summary>Reads state and start time. The command in brackets may hold spaces and brackets itself: look for the last one.</summary>
    internal static bool TryParseStat(string stat, out char state, out ulong startTime)
    {
        state = '\0';
        startTime = 0;
        int bracket = stat.LastIndexOf(')');
        if (bracket < 0 || bracket + 2 >= stat.Length)
        {
            return false;
        }

        string[] fields = stat[(bracket + 2)..].Split(' ');
        state = fields[0].Length == 1 ? fields[0][0] : '\0';
        return fields.Length > StartTimeIndex
            && ulong.TryParse(fields[StartTimeIndex], NumberStyles.None, CultureInfo.InvariantCulture, out startTime);
    }
}
