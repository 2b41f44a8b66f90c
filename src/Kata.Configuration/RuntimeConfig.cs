namespace Kata.Configuration;

/// <summary>The <c>[runtime]</c> table, checked and complete.</summary>
internal sealed record RuntimeConfig
{
    public required bool EnableDebug { get; init; }

    public required bool DisableGuestSeccomp { get; init; }

    public required bool SandboxCgroupOnly { get; init; }

    /// <summary>Whether a pod that asks for the host's network is made all the same, with a loopback interface only.</summary>
    public required bool DisableNewNetworkNamespace { get; init; }

    /// <summary><c>tcfilter</c>, <c>macvtap</c> or <c>none</c>.</summary>
    public required string NetworkModel { get; init; }

    /// <summary>Absolute path of the directory with files about pods' network cards; null for none.</summary>
    public string? DirectNetworkDirectory { get; init; }

    public required TimeSpan CreateContainerTimeout { get; init; }
}
