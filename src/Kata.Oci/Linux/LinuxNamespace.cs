namespace Kata.Oci;

/// <summary>A namespace of the container.</summary>
public sealed record LinuxNamespace : OciObject
{
    /// <summary>One of <c>pid</c>, <c>network</c>, <c>mount</c>, <c>ipc</c>, <c>uts</c>, <c>user</c>, <c>cgroup</c>, <c>time</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The namespace file to join; a new namespace is made when missing.</summary>
    public string? Path { get; init; }
}
