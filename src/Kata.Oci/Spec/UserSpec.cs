namespace Kata.Oci;

/// <summary>The user and groups of a process.</summary>
public sealed record UserSpec : OciObject
{
    /// <summary>The user id inside the container.</summary>
    public uint Uid { get; init; }

    /// <summary>The group id inside the container.</summary>
    public uint Gid { get; init; }

    /// <summary>The file mode creation mask.</summary>
    public uint? Umask { get; init; }

    /// <summary>Further groups.</summary>
    public IReadOnlyList<uint>? AdditionalGids { get; init; }

    /// <summary>A user name, which the specification gives a meaning on Windows only: here the numbers say who it is.</summary>
    public string? Username { get; init; }
}
