using System.Text.Json.Serialization;

namespace Kata.Oci;

/// <summary>Block I/O limits.</summary>
public sealed record LinuxBlockIO : OciObject
{
    /// <summary>The relative weight, 10 to 1000.</summary>
    public ushort? Weight { get; init; }

    /// <summary>The weight against child cgroups.</summary>
    public ushort? LeafWeight { get; init; }

    /// <summary>Weights per device.</summary>
    public IReadOnlyList<LinuxWeightDevice>? WeightDevice { get; init; }

    /// <summary>Read limits in bytes a second.</summary>
    public IReadOnlyList<LinuxThrottleDevice>? ThrottleReadBpsDevice { get; init; }

    /// <summary>Write limits in bytes a second.</summary>
    public IReadOnlyList<LinuxThrottleDevice>? ThrottleWriteBpsDevice { get; init; }

    /// <summary>Read limits in operations a second.</summary>
    [JsonPropertyName("throttleReadIOPSDevice")]
    public IReadOnlyList<LinuxThrottleDevice>? ThrottleReadIopsDevice { get; init; }

    /// <summary>Write limits in operations a second.</summary>
    [JsonPropertyName("throttleWriteIOPSDevice")]
    public IReadOnlyList<LinuxThrottleDevice>? ThrottleWriteIopsDevice { get; init; }
}
