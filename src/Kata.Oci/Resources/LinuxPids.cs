namespace Kata.Oci;

/// <summary>The number of tasks.</summary>
public sealed record LinuxPids : OciObject
{
    /// <summary>The most tasks; 0 or less is unlimited.</summary>
    public long? Limit { get; init; }
}
