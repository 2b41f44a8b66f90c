using Kata.Hypervisor;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>What the caller of a container wants mounted as its root file system.</summary>
/// <param name="Mounts">In their order; none where the bundle's directory is the root file system as it is.</param>
/// <param name="TakesDisks">Whether the pod's machine, which runs, can be given one as a disk.</param>
internal sealed record RootRequest(IReadOnlyList<FileSystemMount> Mounts, bool TakesDisks)
{
    /// <summary>A bundle that has its root file system.</summary>
    public static RootRequest OfBundle { get; } = new([], TakesDisks: false);

    /// <param name="mounts">In their order.</param>
    /// <param name="machine">The pod's.</param>
    /// <param name="blockDevices">Whether block devices go to the guest as such: <c>disable_block_device_use</c> is false.</param>
    public static RootRequest Of(IReadOnlyList<FileSystemMount> mounts, MachineCapabilities machine, bool blockDevices) =>
        new(mounts, blockDevices && machine.Hot.HasFlag(DeviceKinds.Disk));
}
