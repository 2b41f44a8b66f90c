using Kata.Configuration;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Decides how large a pod's machine is: the configured size and what its containers may use together, because a limit that a container
/// is given must be a limit that it can reach. Pure.
/// </summary>
internal static class SandboxSizing
{
    /// <summary>The pages that huge pages are made of on x86-64.</summary>
    internal const int HugePageMib = 2;

    /// <param name="hypervisor">With the pod's annotations applied.</param>
    /// <param name="spec">The first container's.</param>
    /// <exception cref="InvalidSpecException">The specification's limits cannot be read.</exception>
    public static SandboxSize Plan(HypervisorConfig hypervisor, RuntimeSpec spec)
    {
        PodLimits limits = PodLimits.Of(spec);
        var warnings = new List<string>();
        // Fractions are added before they are rounded up: half a processor of the configuration's and half of the container's are one.
        long processors = ((long)Math.Round(hypervisor.Vcpus * 1000) + limits.MilliProcessors + 999) / 1000;
        if (processors > hypervisor.MaxVcpus)
        {
            warnings.Add(
                FormattableString.Invariant($"The pod asks for {processors} processors and gets {hypervisor.MaxVcpus}, ")
                    + "which is default_maxvcpus or all that the host has");
        }

        // Rounded up, and far from overflow: the largest limit is 2^43 MiB.
        long memoryMib = hypervisor.MemoryMib + (limits.MemoryBytes > 0 ? ((limits.MemoryBytes - 1) >> 20) + 1 : 0);
        if (memoryMib > hypervisor.MaxMemoryMib)
        {
            warnings.Add(
                FormattableString.Invariant($"The pod asks for {memoryMib} MiB of memory and gets {hypervisor.MaxMemoryMib}, ")
                    + "which is default_maxmemory or all that the host has");
            memoryMib = hypervisor.MaxMemoryMib;
        }

        if (hypervisor.HugePages)
        {
            memoryMib += memoryMib % HugePageMib;
        }

        return new SandboxSize((int)Math.Min(processors, hypervisor.MaxVcpus), (int)memoryMib, warnings);
    }
}
