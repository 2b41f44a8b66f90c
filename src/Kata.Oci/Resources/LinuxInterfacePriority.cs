namespace Kata.Oci;

/// <summary>The priority of traffic on one interface.</summary>
public sealed record LinuxInterfacePriority : OciObject
{
    /// <summary>The interface.</summary>
    public required string Name { get; init; }

    /// <summary>The priority.</summary>
    public required uint Priority { get; init; }
}
