using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>One host directory or file that the guest sees through the share.</summary>
/// <param name="HostPath">Absolute, in the caller's mount namespace.</param>
/// <param name="Target">Relative to the share.</param>
/// <param name="ReadOnly">Made read-only on the host: the guest cannot write through it, whatever it does.</param>
internal sealed record SharedMount(string HostPath, string Target, bool ReadOnly)
{
    /// <summary>For a read-only root file system: what must exist in it, as the guest cannot make it.</summary>
    public IReadOnlyList<MountPoint> MountPoints { get; init; } = [];

    /// <summary>What is mounted there first, for the share alone: containerd leaves the root file system of a container to its runtime.</summary>
    public IReadOnlyList<FileSystemMount> Mounts { get; init; } = [];
}
