namespace Kata.Agent.Containers;

/// <summary>What the guest decides about a container, whatever its specification says.</summary>
internal sealed record SpecContext
{
    /// <summary>Absolute path below the cgroup root.</summary>
    public required string CgroupPath { get; init; }

    /// <summary>A namespace to join by type (<c>ipc</c>, <c>uts</c>, <c>pid</c>), when the pod shares it.</summary>
    public required IReadOnlyDictionary<string, string> SharedNamespaces { get; init; }

    /// <summary>Join the pod's pid namespace. False: the container has its own, even if the specification does not name it.</summary>
    public bool JoinPidNamespace { get; init; }
}
