using System.Globalization;

namespace Kata.Runtime.Factory;

/// <summary>The host's memory, by /proc/meminfo, proc(5).</summary>
internal static class HostMemory
{
    private const string Available = "MemAvailable:";

    /// <summary>What programs can still have without swapping, in MiB.</summary>
    public static long AvailableMib() => Parse(File.ReadLines("/proc/meminfo"));

    internal static long Parse(IEnumerable<string> lines) =>
        lines.FirstOrDefault(static line => line.StartsWith(Available, StringComparison.Ordinal)) is { } line
            && line[Available.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var kibibytes, ..]
            && long.TryParse(kibibytes, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value >> 10
            : 0;
}
