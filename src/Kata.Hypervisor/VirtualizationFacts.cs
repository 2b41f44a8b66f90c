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

    /// <summary>Looks at this host: opens the two devices and makes and drops one empty virtual machine.</summary>
    public static VirtualizationFacts Read() => new()
    {
        KvmProblem = VirtualizationDevices.ProbeKvm(),
        CpuNeedsFlag = RuntimeInformation.ProcessArchitecture == Architecture.X64,
        CpuHasVirtualization = ReadCpuFlag("/proc/cpuinfo"),
        VhostVsockProblem = VirtualizationDevices.ProbeVhostVsock(),
    };

    /// <summary>Whether one line <c>flags : ...</c> lists <c>vmx</c> or <c>svm</c> as a whole word.</summary>
    internal static bool HasVirtualizationFlag(IEnumerable<string> cpuInfoLines)
    {
        foreach (string line in cpuInfoLines)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line.AsSpan(0, colon).Trim().SequenceEqual("flags"))
            {
                // Every processor of a host has the same flags; the first one answers.
                return line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Any(static flag => flag is "vmx" or "svm");
            }
        }

        return false;
    }

    private static bool ReadCpuFlag(string path)
    {
        try
        {
            return HasVirtualizationFlag(File.ReadLines(path));
        }
        catch (IOException)
        {
            return false;
        }
    }
}
