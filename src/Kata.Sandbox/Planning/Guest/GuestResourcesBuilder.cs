using Kata.Oci;
using Guest = Kata.Agent.Protocol.Oci;

namespace Kata.Sandbox;

/// <summary>The part of the resource limits that means the same inside the guest.</summary>
internal static class GuestResourcesBuilder
{
    /// <summary>
    /// Memory, CPU time, process counts and device rules go to the guest's cgroup. CPU sets and block devices are the host's
    /// (<see cref="HostLimits"/>). Huge pages, RDMA, network classes and what the kernel has given up are nobody's: each one that is set
    /// adds a sentence to <paramref name="warnings"/>.
    /// </summary>
    public static Guest.LinuxResources Build(LinuxResources resources, List<string> warnings)
    {
        var result = new Guest.LinuxResources();
        result.Devices.AddRange((resources.Devices ?? []).Select(static rule => new Guest.LinuxDeviceCgroup
        {
            Allow = rule.Allow,
            Type = rule.Type ?? "",
            Major = rule.Major ?? -1,
            Minor = rule.Minor ?? -1,
            Access = rule.Access ?? "",
        }));
        if (resources.Memory is { } memory)
        {
            result.Memory = new Guest.LinuxMemory
            {
                Limit = memory.Limit ?? 0,
                Reservation = memory.Reservation ?? 0,
                Swap = memory.Swap ?? 0,
                DisableOOMKiller = memory.DisableOomKiller ?? false,
            };
        }

        if (resources.Cpu is { } cpu)
        {
            result.CPU = new Guest.LinuxCPU { Shares = cpu.Shares ?? 0, Quota = cpu.Quota ?? 0, Period = cpu.Period ?? 0 };
        }

        if (resources.Pids is { Limit: { } limit })
        {
            result.Pids = new Guest.LinuxPids { Limit = limit };
        }

        Warn(resources.BlockIO is { WeightDevice.Count: > 0 } or { LeafWeight: > 0 }, "blockIO.weightDevice and blockIO.leafWeight");
        Warn(
            resources.Memory is { Kernel: > 0 } or { KernelTcp: > 0 },
            "memory.kernel and memory.kernelTCP (gone with version 2 of cgroups)");
        Warn(resources.Memory?.Swappiness is not (null or ulong.MaxValue), "memory.swappiness (gone with version 2 of cgroups)");
        Warn(resources.Memory?.DisableOomKiller ?? false, "memory.disableOOMKiller (gone with version 2 of cgroups)");
        Warn(resources.Cpu is { RealtimeRuntime: > 0 } or { RealtimePeriod: > 0 }, "cpu.realtimeRuntime (gone with version 2 of cgroups)");
        Warn(resources.Network is { ClassId: > 0 } or { Priorities.Count: > 0 }, "network (the host's interfaces)");
        Warn(resources.HugepageLimits is { Count: > 0 }, "hugepageLimits");
        Warn(resources.Rdma is { Count: > 0 }, "rdma");
        return result;

        void Warn(bool condition, string what)
        {
            if (condition)
            {
                warnings.Add($"The resource limit {what} has no meaning inside the VM and is not applied");
            }
        }
    }
}
