using Kata.Hypervisor;
using Kata.Hypervisor.Contract;

namespace Kata.Integration.Tests.Hypervisor;

/// <summary>Devices that come to QEMU's <c>q35</c> and go from it.</summary>
public sealed class Q35HotplugTests : HotplugContract
{
    private protected override IHypervisorDriver Driver => QemuMachines.Driver;

    private protected override MachineConfig Config => QemuMachines.WithGuest("q35");
}
