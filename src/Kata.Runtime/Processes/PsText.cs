using System.Globalization;
using Kata.Agent.Protocol.Extension;

namespace Kata.Runtime.Processes;

/// <summary>Values as ps(1) writes them.</summary>
internal static class PsText
{
    private const ulong MaxPermille = 99_9; // two digits before the point, as there

    /// <summary>Processor time, <c>[D-]HH:MM:SS</c>.</summary>
    public static string Time(ulong milliseconds)
    {
        ulong seconds = milliseconds / 1000;
        string clock = string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600 % 24:00}:{seconds / 60 % 60:00}:{seconds % 60:00}");
        return seconds < 86_400 ? clock : string.Create(CultureInfo.InvariantCulture, $"{seconds / 86_400}-{clock}");
    }

    /// <summary>Processor time as BSD's ps, <c>MMM:SS</c>.</summary>
    public static string ShortTime(ulong milliseconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 60_000}:{milliseconds / 1000 % 60:00}");

    /// <summary>Since the start, <c>[[D-]HH:]MM:SS</c>.</summary>
    public static string Elapsed(ulong milliseconds) => milliseconds < 3_600_000
        ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 60_000:00}:{milliseconds / 1000 % 60:00}")
        : Time(milliseconds);

    /// <summary>When it began: the hour today, the day this year, the year before that.</summary>
    public static string Started(ulong ageMs, DateTimeOffset now)
    {
        // A guest can say anything; no process is older than a century.
        DateTimeOffset start = now - TimeSpan.FromMilliseconds(Math.Min(ageMs, 3_155_760_000_000));
        string format = start.Year != now.Year ? "yyyy" : start.DayOfYear != now.DayOfYear ? "MMMdd" : "HH:mm";
        return start.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>The processor time as a share of the age.</summary>
    public static ulong Permille(GuestProcess process) =>
        process.AgeMs == 0 ? 0 : (ulong)Math.Min(MaxPermille, (double)process.CpuMs * 1000 / process.AgeMs);

    /// <summary>A terminal's name from its device number; Documentation/admin-guide/devices.txt of the kernel.</summary>
    public static string Terminal(int device)
    {
        int major = device >> 8 & 0xfff, minor = device & 0xff | device >> 12 & 0xfff00;
        return major switch
        {
            0 => "?",
            4 when minor < 64 => $"tty{minor}",
            4 => $"ttyS{minor - 64}",
            5 when minor == 1 => "console",
            >= 136 and <= 143 => $"pts/{(major - 136) * 256 + minor}",
            _ => $"{major}:{minor}",
        };
    }
}
