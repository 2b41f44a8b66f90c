namespace Kata.Linux;

/// <summary>What the processes of a control group may use together. Null or an empty list: as much as the group above allows.</summary>
internal sealed record CgroupLimits
{
    /// <summary>No limit at all.</summary>
    public static CgroupLimits None { get; } = new();

    /// <summary>Share of contended processor time, in version 1's unit: 2 to 262,144, where 1,024 is usual.</summary>
    public ulong? CpuShares { get; init; }

    /// <summary>Microseconds of processor time for each <see cref="CpuPeriodUs"/>; more than that for several processors.</summary>
    public long? CpuQuotaUs { get; init; }

    /// <summary>The kernel's usual period.</summary>
    public const long CpuPeriodUs = 100_000;

    /// <summary>Processors to run on, in the list format of cpuset(7).</summary>
    public string? Cpus { get; init; }

    /// <summary>Memory nodes to allocate from, in the same format.</summary>
    public string? MemoryNodes { get; init; }

    /// <summary>Bytes of memory, page cache included.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Share of contended disk time relative to other groups: 10 to 1,000.</summary>
    public ushort? IoWeight { get; init; }

    public IReadOnlyList<CgroupDeviceLimit> Devices { get; init; } = [];

    /// <summary>Those that can hold single threads of a process: what they use of memory and disks is the process's.</summary>
    public CgroupLimits ForThreads() => new() { CpuShares = CpuShares, CpuQuotaUs = CpuQuotaUs, Cpus = Cpus, MemoryNodes = MemoryNodes };
}
