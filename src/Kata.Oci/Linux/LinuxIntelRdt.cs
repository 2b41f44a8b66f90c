using System.Text.Json.Serialization;

namespace Kata.Oci;

/// <summary>Intel resource director technology.</summary>
public sealed record LinuxIntelRdt : OciObject
{
    /// <summary>The resource group's directory.</summary>
    [JsonPropertyName("closID")]
    public string? ClosId { get; init; }

    /// <summary>Lines for the group's schemata file.</summary>
    public IReadOnlyList<string>? Schemata { get; init; }

    /// <summary>The L3 cache line of the schemata file.</summary>
    public string? L3CacheSchema { get; init; }

    /// <summary>The memory bandwidth line of the schemata file.</summary>
    public string? MemBwSchema { get; init; }

    /// <summary>Whether cache occupancy is monitored.</summary>
    [JsonPropertyName("enableCMT")]
    public bool? EnableCmt { get; init; }

    /// <summary>Whether memory bandwidth is monitored.</summary>
    [JsonPropertyName("enableMBM")]
    public bool? EnableMbm { get; init; }

    /// <summary>Whether a monitoring group is made.</summary>
    public bool? EnableMonitoring { get; init; }
}
