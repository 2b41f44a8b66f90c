using System.Globalization;
using Kata.Oci;
using Guest = Kata.Agent.Protocol.Oci;

namespace Kata.Sandbox;

/// <summary>
/// What an update of limits comes to in the guest. Pure. As with runc, zero and absent both mean that a limit stays, and -1 that it
/// goes. What a VM cannot do is refused, and so is more than the machine has: a limit that cannot be reached is no promise.
/// </summary>
internal sealed partial record ResourceUpdate
{
    private const ulong DefaultPeriod = 100_000; // the kernel's, in microseconds

    /// <summary>The limits that hold afterwards.</summary>
    public required LinuxResources Effective { get; init; }

    /// <summary>
    /// What goes through the common protocol, whole groups of limits at a time because they depend on each other; null for nothing.
    /// </summary>
    public Guest.LinuxResources? Guest { get; init; }

    /// <summary>What the common protocol has no field for, by file of the cgroup.</summary>
    public IReadOnlyDictionary<string, string> CgroupFiles { get; init; } = new Dictionary<string, string>();

    /// <summary>What the document asks for and no update changes; one sentence each, for the log.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <exception cref="InvalidSpecException">A limit is malformed, has no meaning in a VM, or is more than the machine has.</exception>
    public static ResourceUpdate Plan(LinuxResources current, LinuxResources change, MachineSize machine)
    {
        RefuseRealtimeLimits(change);
        var warnings = new List<string>();
        Warn(warnings, change);
        LinuxMemory memory = MergeMemory(current.Memory ?? new LinuxMemory(), change.Memory);
        LinuxCpu cpu = MergeCpu(current.Cpu ?? new LinuxCpu(), change.Cpu);
        LinuxPids? pids = change.Pids is { Limit: not (null or 0) } ? change.Pids : current.Pids;
        CheckMemory(memory, change.Memory, machine);
        CheckCpu(cpu, change.Cpu, machine);
        return new ResourceUpdate
        {
            Effective = current with { Memory = memory, Cpu = cpu, Pids = pids, BlockIO = MergeBlockIO(current.BlockIO, change.BlockIO) },
            Guest = ToGuest(memory, change.Memory, cpu, change.Cpu, change.Pids),
            CgroupFiles = Files(change),
            Warnings = warnings,
        };
    }

    /// <summary>Refuses a limit of memory that would kill.</summary>
    /// <param name="limit">Bytes.</param>
    /// <param name="usage">Bytes that the container does not give back by itself.</param>
    /// <exception cref="InvalidSpecException">The container uses more than it may use afterwards.</exception>
    public static void CheckUsage(long limit, ulong usage)
    {
        if ((ulong)limit < usage)
        {
            throw Invalid(
                "/memory/limit", $"is {limit} bytes and the container uses {usage}",
                "Ask for more: processes of it would be killed. With checkBeforeUpdate its cache of files counts too");
        }
    }

    private static LinuxMemory MergeMemory(LinuxMemory current, LinuxMemory? change)
    {
        long? limit = Given(change?.Limit);
        // Without a limit of memory there is none of memory and swap together either, unless it is said.
        long? swap = Given(change?.Swap) ?? (limit == -1 ? -1 : null);
        return current with
        {
            Limit = limit ?? current.Limit,
            Swap = swap ?? current.Swap,
            Reservation = Given(change?.Reservation) ?? current.Reservation,
        };
    }

    private static LinuxCpu MergeCpu(LinuxCpu current, LinuxCpu? change) => current with
    {
        Shares = Given(change?.Shares) ?? current.Shares,
        Quota = Given(change?.Quota) ?? current.Quota,
        Period = Given(change?.Period) ?? current.Period,
        Burst = change?.Burst ?? current.Burst,
        Idle = change?.Idle ?? current.Idle,
        Cpus = change?.Cpus is { Length: > 0 } cpus ? cpus : current.Cpus,
        Mems = change?.Mems is { Length: > 0 } mems ? mems : current.Mems,
    };

    private static LinuxBlockIO? MergeBlockIO(LinuxBlockIO? current, LinuxBlockIO? change) =>
        change is null ? current : (current ?? new LinuxBlockIO()) with
        {
            Weight = change.Weight is > 0 and var weight ? weight : current?.Weight,
            ThrottleReadBpsDevice = change.ThrottleReadBpsDevice ?? current?.ThrottleReadBpsDevice,
            ThrottleWriteBpsDevice = change.ThrottleWriteBpsDevice ?? current?.ThrottleWriteBpsDevice,
            ThrottleReadIopsDevice = change.ThrottleReadIopsDevice ?? current?.ThrottleReadIopsDevice,
            ThrottleWriteIopsDevice = change.ThrottleWriteIopsDevice ?? current?.ThrottleWriteIopsDevice,
        };

    private static Guest.LinuxResources? ToGuest(
        LinuxMemory memory, LinuxMemory? memoryChange, LinuxCpu cpu, LinuxCpu? cpuChange, LinuxPids? pids)
    {
        var guest = new Guest.LinuxResources();
        if (Given(memoryChange?.Limit ?? 0) is not null
            || Given(memoryChange?.Swap ?? 0) is not null || Given(memoryChange?.Reservation ?? 0) is not null)
        {
            guest.Memory = new Guest.LinuxMemory
            {
                Limit = memory.Limit ?? 0,
                Swap = memory.Swap ?? 0,
                Reservation = memory.Reservation ?? 0,
            };
        }

        bool time = Given(cpuChange?.Quota) is not null || Given(cpuChange?.Period) is not null;
        if (time || Given(cpuChange?.Shares) is not null)
        {
            guest.CPU = new Guest.LinuxCPU
            {
                Shares = Given(cpuChange?.Shares) ?? 0,
                Quota = time ? cpu.Quota ?? -1 : 0,
                Period = time ? cpu.Period ?? DefaultPeriod : 0,
            };
        }

        if (Given(pids?.Limit) is { } limit)
        {
            guest.Pids = new Guest.LinuxPids { Limit = limit };
        }

        return guest is { Memory: null, CPU: null, Pids: null } ? null : guest;
    }

    private static SortedDictionary<string, string> Files(LinuxResources change)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (change.Cpu?.Burst is { } burst)
        {
            files["cpu.max.burst"] = burst.ToString(CultureInfo.InvariantCulture);
        }

        if (change.Cpu?.Idle is { } idle)
        {
            files["cpu.idle"] = idle.ToString(CultureInfo.InvariantCulture);
        }

        foreach ((string file, string value) in change.Unified ?? new Dictionary<string, string>())
        {
            files[file] = value;
        }

        return files;
    }

    private static long? Given(long? value) => value is null or 0 ? null : value;

    private static ulong? Given(ulong? value) => value is null or 0 ? null : value;
}
