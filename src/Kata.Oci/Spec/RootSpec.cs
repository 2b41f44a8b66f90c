namespace Kata.Oci;

/// <summary>The root file system of a container.</summary>
public sealed record RootSpec : OciObject
{
    /// <summary>Where it is, absolute or relative to the bundle.</summary>
    public required string Path { get; init; }

    /// <summary>Whether the container sees it read-only.</summary>
    public bool? Readonly { get; init; }
}
