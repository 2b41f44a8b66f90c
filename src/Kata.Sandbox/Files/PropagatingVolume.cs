using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>A volume of a container into which comes what the host mounts below it while the container lives.</summary>
/// <param name="HostPath">In the mount namespace of the pod's caller.</param>
/// <param name="Destination">In the container, without links.</param>
internal sealed record PropagatingVolume(string HostPath, string Destination)
{
    /// <summary>What is mounted below it and in the container, by its place. One user at a time.</summary>
    public Dictionary<(string Place, SourceKey Key), SharedPlace> Below { get; } = [];
}
