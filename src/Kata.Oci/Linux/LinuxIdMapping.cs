using System.Text.Json.Serialization;

namespace Kata.Oci;

/// <summary>A range of ids that is mapped into a user namespace.</summary>
public sealed record LinuxIdMapping : OciObject
{
    /// <summary>The first id in the container.</summary>
    [JsonPropertyName("containerID")]
    public required uint ContainerId { get; init; }

    /// <summary>The first id on the host.</summary>
    [JsonPropertyName("hostID")]
    public required uint HostId { get; init; }

    /// <summary>How many ids follow one another.</summary>
    public required uint Size { get; init; }
}
