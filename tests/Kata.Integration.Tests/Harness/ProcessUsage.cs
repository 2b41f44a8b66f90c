using System.Globalization;

namespace Kata.Integration.Tests.Harness;

/// <summary>What a process holds of the host at one moment.</summary>
internal sealed record ProcessUsage(int Descriptors, int Threads, int PrivateDirtyKib)
{
    public static ProcessUsage Of(int pid) => new(
        Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length,
        Directory.GetDirectories($"/proc/{pid}/task").Length,
        int.Parse(
            File.ReadLines($"/proc/{pid}/smaps_rollup")
                .First(static line => line.StartsWith("Private_Dirty:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture));
}
