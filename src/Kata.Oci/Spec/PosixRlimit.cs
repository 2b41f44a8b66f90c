namespace Kata.Oci;

/// <summary>One resource limit of a process, <c>setrlimit(2)</c>.</summary>
public sealed record PosixRlimit : OciObject
{
    /// <summary>The resource, such as <c>RLIMIT_NOFILE</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The ceiling.</summary>
    public required ulong Hard { get; init; }

    /// <summary>The limit in force, at most <see cref="Hard"/>.</summary>
    public required ulong Soft { get; init; }
}
