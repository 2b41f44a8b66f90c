namespace Kata.Hypervisor;

/// <summary>
/// What a driver can do with a machine of one configuration, as data: a plan asks here first, and never for what would fail late. How
/// it is done is in small interfaces of the machine (<c>vm is IDeviceHotplug</c>), which must agree with this.
/// </summary>
internal sealed record MachineCapabilities
{
    /// <summary>What machine this is about, for texts: <c>QEMU's machine type 'q35'</c>.</summary>
    public required string Machine { get; init; }

    /// <summary>What it may have from the start.</summary>
    public required DeviceKinds Cold { get; init; }

    /// <summary>What can be given to it, and taken from it, while it runs.</summary>
    public DeviceKinds Hot { get; init; }

    /// <summary>Why <see cref="Hot"/> is empty, as the end of a sentence; null where it is not.</summary>
    public string? NoHotplugReason { get; init; }

    /// <summary>How many disks, network cards and devices of the host it may have together at one time.</summary>
    public required int MaxPluggable { get; init; }

    /// <summary>Whether its processors can be stopped and continued (<see cref="IPause"/>).</summary>
    public bool Pause { get; init; }

    /// <summary>Why the machine cannot have the device, as a cause for an error; null when it can.</summary>
    /// <param name="device">What is asked for.</param>
    /// <param name="running">Whether the machine runs already.</param>
    public string? RefusalOf(Device device, bool running) => running switch
    {
        false => Cold.HasFlag(device.Kind) ? null : $"{Machine} has no such device ({device.Kind})",
        true when Hot.HasFlag(device.Kind) => null,
        true when Cold.HasFlag(device.Kind) =>
            $"{Machine} takes it only before it starts{(NoHotplugReason is { } reason ? $": {reason}" : "")}",
        _ => $"{Machine} has no such device ({device.Kind})",
    };
}
