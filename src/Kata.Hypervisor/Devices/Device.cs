namespace Kata.Hypervisor;

/// <summary>
/// A device of a machine, as data. The family is closed: every driver translates each of its kinds, or says in its
/// <see cref="MachineCapabilities"/> that it does not. What the service opened for a device is not in here but beside it, in
/// <see cref="DeviceDescriptors"/>, by <see cref="Id"/>.
/// </summary>
/// <param name="Id">Its name, the only one of it in the machine.</param>
internal abstract record Device(DeviceId Id)
{
    /// <summary>Which of the family it is.</summary>
    public abstract DeviceKinds Kind { get; }

    /// <summary>How many descriptors it comes with.</summary>
    public abstract int DescriptorCount { get; }
}
