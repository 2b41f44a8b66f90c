using Kata.Linux;

namespace Kata.Hypervisor;

/// <summary>
/// A PCI device of the host that the guest has itself, by VFIO. The host's driver for that has it by the time that the machine gets it, and
/// all of its IOMMU group is without other drivers. All memory of the guest is the device's to use, and stays in the host's.
/// </summary>
/// <param name="Id">Its name.</param>
/// <param name="Address">Where it is.</param>
/// <param name="Group">The number of its IOMMU group.</param>
internal sealed record HostDevice(DeviceId Id, PciAddress Address, int Group) : Device(Id)
{
    public override DeviceKinds Kind => DeviceKinds.Host;

    public override int DescriptorCount => 0;
}
