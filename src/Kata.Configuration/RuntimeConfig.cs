namespace Kata.Configuration;

/// <summary>The <c>[runtime]</c> table, checked and complete.</summary>
internal sealed record RuntimeConfig
{
    public required bool EnableDebug { get; init; }

    public required bool DisableGuestSeccomp { get; init; }

    public required bool SandboxCgroupOnly { get; init; }

    /// <summary><c>tcfilter</c>, <c>macvtap</c> or <c>none</c>.</summary>
    public required string NetworkModel { get; init; }

    public required TimeSpan CreateContainerTimeout { get; init; }
}
