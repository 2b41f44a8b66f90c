using System.Text.Json.Serialization;

namespace Kata.Oci;

/// <summary>Memory limits in bytes; -1 is unlimited.</summary>
public sealed record LinuxMemory : OciObject
{
    /// <summary>The hard limit.</summary>
    public long? Limit { get; init; }

    /// <summary>The soft limit.</summary>
    public long? Reservation { get; init; }

    /// <summary>The limit of memory and swap together.</summary>
    public long? Swap { get; init; }

    /// <summary>The limit of kernel memory; no longer in the kernel.</summary>
    public long? Kernel { get; init; }

    /// <summary>The limit of TCP buffer memory.</summary>
    [JsonPropertyName("kernelTCP")]
    public long? KernelTcp { get; init; }

    /// <summary>How eagerly memory is swapped, 0 to 100.</summary>
    public ulong? Swappiness { get; init; }

    /// <summary>Whether the OOM killer spares the container.</summary>
    [JsonPropertyName("disableOOMKiller")]
    public bool? DisableOomKiller { get; init; }

    /// <summary>Whether the accounting is hierarchical.</summary>
    public bool? UseHierarchy { get; init; }

    /// <summary>Whether a limit below the present use is refused.</summary>
    public bool? CheckBeforeUpdate { get; init; }
}
