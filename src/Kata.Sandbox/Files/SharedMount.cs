using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>One host directory or file that the guest sees through the share.</summary>
/// <param name="HostPath">Absolute, in the caller's mount namespace.</param>
/// <param name="ReadOnly">The container cannot write to it.</param>
internal sealed record SharedMount(string HostPath, bool ReadOnly)
{
    /// <summary>With what is mounted below it on the host.</summary>
    public bool Recursive { get; init; } = true;

    /// <summary>Which owners its files have in the guest instead of their own; null for their own.</summary>
    public MountIdMap? IdMap { get; init; }

    /// <summary>Those of what is mounted below it, too.</summary>
    public bool MapsBelow { get; init; }

    /// <summary>
    /// What is mounted there first, for the share alone: containerd leaves the root file system of a container to its runtime.
    /// </summary>
    public IReadOnlyList<FileSystemMount> Mounts { get; init; } = [];

    /// <summary>What the host mounts below it later comes into the container too.</summary>
    public bool Propagates { get; init; }
}
