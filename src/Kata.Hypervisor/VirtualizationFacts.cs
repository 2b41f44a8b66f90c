using System.Globalization;
using System.Runtime.InteropServices;
using Kata.Linux;

namespace Kata.Hypervisor;

/// <summary>What the host offers for running virtual machines.</summary>
internal sealed record VirtualizationFacts
{
    /// <summary>Why <c>/dev/kvm</c> cannot be used, or null when it made a virtual machine.</summary>
    public string? KvmProblem { get; init; }

    /// <summary>Whether this architecture shows virtualization as a CPU flag: x86-64 does, arm64 does not.</summary>
    public bool CpuNeedsFlag { get; init; } = true;

    /// <summary>Whether <c>/proc/cpuinfo</c> lists <c>vmx</c> or <c>svm</c>.</summary>
    public bool CpuHasVirtualization { get; init; }

    /// <summary>Why <c>/dev/vhost-vsock</c> cannot be used, or null.</summary>
    public string? VhostVsockProblem { get; init; }

    /// <summary>
    /// How fast the processors' time stamp counter runs, in kHz, or null when <c>/proc/cpuinfo</c> does not tell for certain: where the
    /// host is itself a guest and the counter is constant, the frequency that it shows is the counter's, and does not change.
    /// </summary>
    public int? TimestampKhz { get; init; }

    /// <summary>Looks at this host: opens the two devices and makes and drops one empty virtual machine.</summary>
    public static VirtualizationFacts Read()
    {
        IReadOnlyList<string> processors = ReadProcessors();
        return new VirtualizationFacts
        {
            KvmProblem = VirtualizationDevices.ProbeKvm(),
            CpuNeedsFlag = RuntimeInformation.ProcessArchitecture == Architecture.X64,
            CpuHasVirtualization = FlagsOf(processors).Any(static flag => flag is "vmx" or "svm"),
            TimestampKhz = TimestampOf(processors),
            VhostVsockProblem = VirtualizationDevices.ProbeVhostVsock(),
        };
    }

    /// <summary>The words of the first line <c>flags : ...</c>: every processor of a host has the same.</summary>
    internal static IReadOnlyList<string> FlagsOf(IEnumerable<string> cpuInfoLines) =>
        ValueOf(cpuInfoLines, "flags")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>See <see cref="TimestampKhz"/>.</summary>
    internal static int? TimestampOf(IReadOnlyList<string> cpuInfoLines) =>
        FlagsOf(cpuInfoLines) is { } flags && flags.Contains("hypervisor") && flags.Contains("constant_tsc")
        && decimal.TryParse(
            ValueOf(cpuInfoLines, "cpu MHz"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal megahertz)
        && megahertz is >= 100 and <= 100_000
            ? (int)(megahertz * 1000)
            : null;

    private static string? ValueOf(IEnumerable<string> cpuInfoLines, string name)
    {
        foreach (string line in cpuInfoLines)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line.AsSpan(0, colon).Trim().SequenceEqual(name))
            {
                return line[(colon + 1)..].Trim();
            }
        }

        return null;
    }

    // The first one's lines: the others are like it.
    private static string[] ReadProcessors()
    {
        try
        {
            return [.. File.ReadLines("/proc/cpuinfo").TakeWhile(static line => line.Length > 0)];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
