using System.Numerics;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// What the host allows a pod: what its containers may use together and what the machine around them costs. The guest holds each
/// container to its own limits; these hold a guest that does not, and a monitor that was taken over. Pure.
/// </summary>
internal static class HostLimits
{
    /// <summary>
    /// What a pod takes on the host besides the guest's memory: the monitor with its translation
    /// cache, virtiofsd, the service and some page cache.
    /// </summary>
    internal const long OverheadBytes = 256L << 20;

    /// <summary>The kernel's largest quota that is not "none", kernel/sched/core.c.</summary>
    private const long LargestQuotaUs = 1L << 44;

    /// <param name="containers">The limits of the pod's containers, each with its updates.</param>
    /// <param name="machine">The pod's machine.</param>
    /// <param name="baseVcpus">Processors that the machine has for itself, whatever the containers ask for.</param>
    /// <param name="own">
    /// Those of the container that only holds a Kubernetes pod together, or null: what it asks for
    /// counts, what it leaves open lifts nothing.
    /// </param>
    public static CgroupLimits Plan(
        IReadOnlyCollection<LinuxResources> containers, MachineConfig machine, int baseVcpus, LinuxResources? own = null)
    {
        LinuxResources[] all = own is null ? [.. containers] : [.. containers, own];
        IReadOnlyCollection<LinuxResources> withMemory = own is not null && SandboxPlanner.MemoryLimitOf(own) is not null
            ? all : containers;
        return new()
        {
            CpuShares = SumOf(all.Select(static item => item.Cpu?.Shares)),
            CpuQuotaUs = QuotaOf(own?.Cpu is { Quota: > 0 } ? all : containers, baseVcpus),
            Cpus = Union(all.Select(static item => item.Cpu?.Cpus)),
            MemoryNodes = Union(all.Select(static item => item.Cpu?.Mems)),
            // One container without a limit may fill the machine, which is a limit too, but not one that anybody asked for.
            MemoryBytes = withMemory.Count > 0 && withMemory.All(static item => SandboxPlanner.MemoryLimitOf(item) is not null)
                ? ((long)machine.MemoryMib << 20) + OverheadBytes
                : null,
            IoWeight = all.Max(static item => (int?)item.BlockIO?.Weight) is > 0 and var weight ? (ushort)weight : null,
            Devices =
            [
                .. Devices(all, CgroupDeviceLimitKind.ReadBytes, static item => item.ThrottleReadBpsDevice),
                .. Devices(all, CgroupDeviceLimitKind.WriteBytes, static item => item.ThrottleWriteBpsDevice),
                .. Devices(all, CgroupDeviceLimitKind.ReadOperations, static item => item.ThrottleReadIopsDevice),
                .. Devices(all, CgroupDeviceLimitKind.WriteOperations, static item => item.ThrottleWriteIopsDevice),
            ],
        };
    }

    // A container without a quota may use the whole machine; then there is nothing to hold the pod to.
    private static long? QuotaOf(IReadOnlyCollection<LinuxResources> containers, int baseVcpus)
    {
        BigInteger sum = baseVcpus * CgroupLimits.CpuPeriodUs;
        foreach (LinuxResources item in containers)
        {
            if (item.Cpu is not { Quota: > 0 and var quota })
            {
                return null;
            }

            ulong period = item.Cpu.Period is > 0 and var given ? given : (ulong)CgroupLimits.CpuPeriodUs;
            sum += ((BigInteger)quota * CgroupLimits.CpuPeriodUs + period - 1) / period;
        }

        return containers.Count == 0 || sum > LargestQuotaUs ? null : (long)sum;
    }

    private static ulong? SumOf(IEnumerable<ulong?> values) =>
        values.Aggregate(
            (ulong?)null,
            static (sum, item) => item is null or 0 ? sum : (sum ?? 0) > ulong.MaxValue - item ? ulong.MaxValue : (sum ?? 0) + item);

    // The kernel takes lists that overlap. Containers without one leave the choice to the others, as with every runtime of this kind.
    private static string? Union(IEnumerable<string?> lists)
    {
        IEnumerable<string> given = lists.Where(static list => !string.IsNullOrWhiteSpace(list)).Select(static list => list!.Trim());
        return string.Join(',', given.Distinct()) is { Length: > 0 } union ? union : null;
    }

    private static IEnumerable<CgroupDeviceLimit> Devices(
        IEnumerable<LinuxResources> containers, CgroupDeviceLimitKind kind,
        Func<LinuxBlockIO, IReadOnlyList<LinuxThrottleDevice>?> listOf) => containers
            .SelectMany(item => item.BlockIO is { } io ? listOf(io) ?? [] : [])
            .GroupBy(static device => (device.Major, device.Minor))
            .Select(group => new CgroupDeviceLimit(
                group.Key.Major, group.Key.Minor, kind, SumOf(group.Select(static device => (ulong?)device.Rate)) ?? 0))
            .Where(static device => device.PerSecond > 0);
}
