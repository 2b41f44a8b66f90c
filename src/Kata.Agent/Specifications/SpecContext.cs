using Kata.Agent.Protocol.Extension;

namespace Kata.Agent.Specifications;

/// <summary>What the guest decides about a container, whatever its specification says.</summary>
internal sealed record SpecContext
{
    /// <summary>Absolute path below the cgroup root.</summary>
    public required string CgroupPath { get; init; }

    /// <summary>A namespace to join by type (<c>ipc</c>, <c>uts</c>, <c>pid</c>), when the pod shares it.</summary>
    public required IReadOnlyDictionary<string, string> SharedNamespaces { get; init; }

    /// <summary>What the common protocol has no place for, or null from a host that does not know of it.</summary>
    public ContainerExtension? Extension { get; init; }

    /// <summary>
    /// With <see cref="Extension"/>, every namespace of the container by type: a file to join, or empty for its own. It decides then, not
    /// the pod's sharing.
    /// </summary>
    public IReadOnlyDictionary<string, string> Namespaces { get; init; } = new Dictionary<string, string>();

    /// <summary>Join the pod's pid namespace. False: the container has its own, even if the specification does not name it.</summary>
    public bool JoinPidNamespace { get; init; }
}
