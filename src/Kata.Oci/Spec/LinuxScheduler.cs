namespace Kata.Oci;

/// <summary>The scheduling attributes of a process, <c>sched_setattr(2)</c>.</summary>
public sealed record LinuxScheduler : OciObject
{
    /// <summary>The policy, such as <c>SCHED_BATCH</c>.</summary>
    public required string Policy { get; init; }

    /// <summary>The nice value, for the policies that have one.</summary>
    public int? Nice { get; init; }

    /// <summary>The static priority, for the real-time policies.</summary>
    public int? Priority { get; init; }

    /// <summary>Flags, such as <c>SCHED_FLAG_RESET_ON_FORK</c>.</summary>
    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>The time budget in nanoseconds, for <c>SCHED_DEADLINE</c>.</summary>
    public ulong? Runtime { get; init; }

    /// <summary>The deadline in nanoseconds, for <c>SCHED_DEADLINE</c>.</summary>
    public ulong? Deadline { get; init; }

    /// <summary>The period in nanoseconds, for <c>SCHED_DEADLINE</c>.</summary>
    public ulong? Period { get; init; }
}
