namespace Kata.Oci;

/// <summary>The rate limit of one block device.</summary>
public sealed record LinuxThrottleDevice : OciObject
{
    /// <summary>The major number.</summary>
    public required long Major { get; init; }

    /// <summary>The minor number.</summary>
    public required long Minor { get; init; }

    /// <summary>Bytes or operations a second.</summary>
    public required ulong Rate { get; init; }
}
