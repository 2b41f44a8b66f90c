using System.Globalization;
using Kata.Oci;

namespace Kata.Sandbox;

internal sealed partial record ResourceUpdate
{
    // The kernel's own limits, kernel/sched/core.c; said here because its answer is only EINVAL.
    private const ulong ShortestPeriod = 1000;
    private const ulong LongestPeriod = 1_000_000;
    private const long SmallestQuota = 1000;

    private static void CheckMemory(LinuxMemory memory, LinuxMemory? change, MachineSize machine)
    {
        (string Field, long? Value)[] asked =
            [("limit", change?.Limit), ("reservation", change?.Reservation), ("swap", change?.Swap)];
        foreach ((string field, long? value) in asked)
        {
            if (value < -1)
            {
                throw Invalid($"/memory/{field}", $"is {value}", "It must be a number of bytes, or -1 for no limit");
            }
        }

        foreach ((string field, long? value) in new[] { ("limit", change?.Limit), ("reservation", change?.Reservation) })
        {
            if (value > machine.MemoryBytes)
            {
                throw Invalid(
                    $"/memory/{field}", $"asks for {value} bytes and the virtual machine has {machine.MemoryBytes}",
                    "A running machine cannot grow yet: ask for at most that, for -1, or make the container anew with the larger limit");
            }
        }

        bool changed = Given(change?.Limit) is not null || Given(change?.Swap) is not null;
        if (changed && memory.Swap is > 0 && memory.Limit is not > 0)
        {
            throw Invalid(
                "/memory/swap", $"is {memory.Swap} and there is no limit of memory", "It counts memory and swap together: give both");
        }

        if (changed && memory.Swap is > 0 && memory.Swap < memory.Limit)
        {
            throw Invalid(
                "/memory/swap", $"is {memory.Swap} and the limit of memory {memory.Limit}",
                "It counts memory and swap together: it must be at least the limit of memory");
        }
    }

    private static void CheckCpu(LinuxCpu cpu, LinuxCpu? change, MachineSize machine)
    {
        if (change is null)
        {
            return;
        }

        if (Given(change.Period) is < ShortestPeriod or > LongestPeriod)
        {
            throw Invalid("/cpu/period", $"is {change.Period}", $"It must be from {ShortestPeriod} to {LongestPeriod} microseconds");
        }

        if (change.Quota is < -1 or (> 0 and < SmallestQuota))
        {
            throw Invalid("/cpu/quota", $"is {change.Quota}", $"It must be -1 for no limit, or at least {SmallestQuota} microseconds");
        }

        ulong period = cpu.Period ?? DefaultPeriod;
        bool changed = Given(change.Quota) is not null || Given(change.Period) is not null;
        if (changed && cpu.Quota is > 0 and var quota && (ulong)quota > period * (ulong)machine.Vcpus)
        {
            string wanted = ((double)quota / period).ToString("0.##", CultureInfo.InvariantCulture);
            throw Invalid(
                "/cpu/quota", $"asks for the time of {wanted} processors and the virtual machine has {machine.Vcpus}",
                "A running machine cannot grow yet: ask for at most that, for -1, or make the container anew with the larger limit");
        }

        if (change.Burst > (ulong)Math.Max(0, cpu.Quota ?? 0))
        {
            throw Invalid("/cpu/burst", $"is {change.Burst}", "It must be at most the quota, which must be given");
        }

        if (change.Idle is not (null or 0 or 1))
        {
            throw Invalid("/cpu/idle", $"is {change.Idle}", "It must be 0 or 1");
        }

        CheckList("/cpu/cpus", change.Cpus);
        CheckList("/cpu/mems", change.Mems);
    }

    // cpuset(7), "List format". The numbers are the host's, and which of them there are the host says.
    private static void CheckList(string field, string? list)
    {
        if (string.IsNullOrEmpty(list))
        {
            return;
        }

        foreach (string part in list.Split(','))
        {
            string[] ends = part.Trim().Split('-', 2);
            int[] numbers = [.. ends.Select(
                static end => int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1)];
            if (numbers.Any(static number => number < 0) || numbers[0] > numbers[^1])
            {
                throw Invalid(field, $"is '{list}'", "It must be a list like 0-2,4");
            }
        }
    }

    private static void RefuseRealtimeLimits(LinuxResources change)
    {
        if (change.Cpu is { RealtimePeriod: > 0 } or { RealtimeRuntime: not (null or 0) })
        {
            throw Invalid(
                "/cpu/realtimeRuntime", "asks for real-time scheduling of a group", "The guest's cgroup v2 has none: leave it out");
        }
    }

    private static void Warn(List<string> warnings, LinuxResources change)
    {
        Add(
            change.Memory is { Kernel: not (null or 0) } or { KernelTcp: not (null or 0) },
            "memory.kernel and memory.kernelTCP, which the kernel no longer has,");
        Add(
            change.Memory is { Swappiness: not null } or { DisableOomKiller: true },
            "memory.swappiness and memory.disableOOMKiller, which cgroup v2 does not have,");
        Add(change.BlockIO is { LeafWeight: > 0 } or { WeightDevice.Count: > 0 }, "blockIO.leafWeight and blockIO.weightDevice");
        Add(change.HugepageLimits is { Count: > 0 }, "hugepageLimits");
        Add(change.Rdma is { Count: > 0 } || change.Network is { ClassId: not null } or { Priorities.Count: > 0 }, "rdma and network");
        Add(change.Devices is { Count: > 0 }, "devices");

        void Add(bool condition, string what)
        {
            if (condition)
            {
                warnings.Add($"The update asks to change {what} and they stay as they are");
            }
        }
    }

    private static InvalidSpecException Invalid(string field, string cause, string remedy) =>
        InvalidSpecException.ForResources(field, cause, remedy);
}
