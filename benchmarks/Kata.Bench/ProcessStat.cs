using System.Globalization;
using System.Runtime.InteropServices;

namespace Kata.Bench;

/// <summary>What the kernel counts of a process (proc(5), stat; clock_getcpuclockid(3)).</summary>
internal static partial class ProcessStat
{
    private const double TicksPerSecond = 100; // USER_HZ, which /proc counts in on every Linux

    // The fields' numbers in the manual page, whose first two hold the name in brackets.
    private const int ChildMinorFaults = 11;
    private const int UserTime = 14;

    /// <summary>Processor time in ticks, with that of children that were waited for.</summary>
    public static double Ticks(int pid) => Times(pid).Sum();

    /// <summary>Processor time in ticks of children that were waited for.</summary>
    public static double ChildTicks(int pid) => Times(pid)[2..].Sum();

    /// <summary>Processor time in milliseconds to the nanosecond, without that of children.</summary>
    public static double PreciseMilliseconds(int pid)
    {
        int clock = (~pid << 3) | 2; // how the kernel, and so the C library, names the clock of a process
        return clock_gettime(clock, out Timespec time) == 0
            ? (time.Seconds * 1e3) + (time.Nanoseconds / 1e6)
            : throw new InvalidOperationException($"The process {pid} is gone");
    }

    public static double Milliseconds(double ticks) => ticks * 1000 / TicksPerSecond;

    /// <summary>Children that live, or that nobody has waited for.</summary>
    public static int LivingChildren(int pid) => Directory.GetDirectories($"/proc/{pid}/task")
        .Sum(static task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries).Length);

    /// <summary>Pages that children which were waited for had to be given: it grows with each, as no program starts without.</summary>
    public static double FaultsOfPastChildren(int pid) => Fields(pid, ChildMinorFaults, 1)[0];

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out Timespec time);

    // utime, stime, cutime, cstime
    private static double[] Times(int pid) => Fields(pid, UserTime, 4);

    private static double[] Fields(int pid, int first, int count)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        return [.. stat[(stat.LastIndexOf(')') + 2)..].Split(' ').Skip(first - 3).Take(count).Select(static field =>
            double.Parse(field, CultureInfo.InvariantCulture))];
    }

    // struct timespec of a 64-bit machine
    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds, Nanoseconds;
    }
}
