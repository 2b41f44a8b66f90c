namespace Kata.Configuration;

/// <summary>The <c>[runtime]</c> table, checked and complete.</summary>
internal sealed record RuntimeConfig
{
    public required bool EnableDebug { get; init; }

    public required bool DisableGuestSeccomp { get; init; }

    public required bool SandboxCgroupOnly { get; init; }

    public required TimeSpan CreateContainerTimeout { get; init; }
}
