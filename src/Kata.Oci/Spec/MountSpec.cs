namespace Kata.Oci;

/// <summary>One mount inside the container.</summary>
public sealed record MountSpec : OciObject
{
    /// <summary>Where it is mounted, absolute inside the container.</summary>
    public required string Destination { get; init; }

    /// <summary>The file system type; <c>bind</c> or <c>none</c> for a bind mount.</summary>
    public string? Type { get; init; }

    /// <summary>The device, directory or name that is mounted; relative to the bundle for a bind mount.</summary>
    public string? Source { get; init; }

    /// <summary>Options in the manner of fstab.</summary>
    public IReadOnlyList<string>? Options { get; init; }

    /// <summary>The user ids of an id-mapped mount.</summary>
    public IReadOnlyList<LinuxIdMapping>? UidMappings { get; init; }

    /// <summary>The group ids of an id-mapped mount.</summary>
    public IReadOnlyList<LinuxIdMapping>? GidMappings { get; init; }
}
