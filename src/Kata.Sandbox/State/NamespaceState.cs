using Kata.Network;

namespace Kata.Sandbox;

/// <summary>Which network namespace a pod follows: no other one has the same numbers for as long as the pod's service lives.</summary>
/// <param name="Device">The number of its file system.</param>
/// <param name="Inode">Its own.</param>
internal sealed record NamespaceState(ulong Device, ulong Inode)
{
    public static NamespaceState Of(NetworkNamespace space) => new(space.Device, space.Inode);
}
