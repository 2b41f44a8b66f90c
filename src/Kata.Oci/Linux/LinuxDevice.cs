namespace Kata.Oci;

/// <summary>A device node in the container.</summary>
public sealed record LinuxDevice : OciObject
{
    /// <summary>One of <c>c</c>, <c>b</c>, <c>u</c> or <c>p</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Where the node is made, absolute inside the container.</summary>
    public required string Path { get; init; }

    /// <summary>The major number; not for <c>p</c>.</summary>
    public long? Major { get; init; }

    /// <summary>The minor number; not for <c>p</c>.</summary>
    public long? Minor { get; init; }

    /// <summary>The permission bits.</summary>
    public uint? FileMode { get; init; }

    /// <summary>The owner inside the container.</summary>
    public uint? Uid { get; init; }

    /// <summary>The group inside the container.</summary>
    public uint? Gid { get; init; }
}
