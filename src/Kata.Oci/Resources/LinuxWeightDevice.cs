namespace Kata.Oci;

/// <summary>The weight of one block device.</summary>
public sealed record LinuxWeightDevice : OciObject
{
    /// <summary>The major number.</summary>
    public required long Major { get; init; }

    /// <summary>The minor number.</summary>
    public required long Minor { get; init; }

    /// <summary>The relative weight, 10 to 1000.</summary>
    public ushort? Weight { get; init; }

    /// <summary>The weight against child cgroups.</summary>
    public ushort? LeafWeight { get; init; }
}
