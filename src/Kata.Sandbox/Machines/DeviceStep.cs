using Kata.Hypervisor;

namespace Kata.Sandbox;

/// <summary>
/// What the host needs for one device: an open file, a daemon. The machine gets it at its start, or later by <see cref="PlugStep"/>.
/// </summary>
internal abstract class DeviceStep(Device device) : Step
{
    /// <summary>The device, decided by the plan.</summary>
    public Device Device { get; } = device;

    /// <summary>The process behind it, once it is there; null when there is none.</summary>
    public virtual IDeviceBackend? Backend => null;

    /// <summary>Gives away what was opened for the device. Once, after <see cref="Step.DoAsync"/>.</summary>
    public abstract void HandOver(DeviceDescriptors descriptors);
}
