namespace Kata.Hypervisor;

/// <summary>A machine that takes and gives devices while it runs. Ask with <c>vm is IDeviceHotplug</c>.</summary>
internal interface IDeviceHotplug
{
    /// <summary>
    /// Gives the machine a device. Several calls may be under way at once. Returns when the VMM has it; when the guest has found it,
    /// only its agent can say.
    /// </summary>
    /// <param name="device">Its id is not in use, or has been taken back.</param>
    /// <param name="descriptors">Its descriptors, borrowed: the VMM gets copies.</param>
    /// <param name="cancellationToken">Calls it off; the machine has the device whole or not at all afterwards.</param>
    /// <exception cref="HypervisorException">The VMM refused, or there is no free place for it. The machine is as before.</exception>
    Task PlugAsync(Device device, DeviceDescriptors descriptors, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a device back, also one that was there from the start. Returns when the guest has let go of it and the VMM holds nothing
    /// of it any more.
    /// </summary>
    /// <exception cref="HypervisorException">
    /// The guest refused or did not answer, or the VMM refused: the machine has the device still, and the call may be repeated.
    /// </exception>
    Task UnplugAsync(DeviceId id, CancellationToken cancellationToken);
}
