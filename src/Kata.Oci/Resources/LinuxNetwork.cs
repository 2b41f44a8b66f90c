using System.Text.Json.Serialization;

namespace Kata.Oci;

/// <summary>Network class and priorities, cgroup v1.</summary>
public sealed record LinuxNetwork : OciObject
{
    /// <summary>The class of the container's packets.</summary>
    [JsonPropertyName("classID")]
    public uint? ClassId { get; init; }

    /// <summary>The priorities of its traffic, per interface.</summary>
    public IReadOnlyList<LinuxInterfacePriority>? Priorities { get; init; }
}
