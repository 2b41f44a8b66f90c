namespace Kata.Oci;

/// <summary>CPU limits.</summary>
public sealed record LinuxCpu : OciObject
{
    /// <summary>The relative weight of cgroup v1.</summary>
    public ulong? Shares { get; init; }

    /// <summary>The time in microseconds allowed in a <see cref="Period"/>; -1 is unlimited.</summary>
    public long? Quota { get; init; }

    /// <summary>The unused time in microseconds that may be kept for later.</summary>
    public ulong? Burst { get; init; }

    /// <summary>The length of a period in microseconds.</summary>
    public ulong? Period { get; init; }

    /// <summary>The real-time budget in microseconds.</summary>
    public long? RealtimeRuntime { get; init; }

    /// <summary>The real-time period in microseconds.</summary>
    public ulong? RealtimePeriod { get; init; }

    /// <summary>The CPUs, as a list like <c>0-3,7</c>.</summary>
    public string? Cpus { get; init; }

    /// <summary>The memory nodes, as a list.</summary>
    public string? Mems { get; init; }

    /// <summary>The idle setting of the cgroup: 0 or 1.</summary>
    public long? Idle { get; init; }
}
