using Kata.Hypervisor;
using Kata.Hypervisor.Contract;

namespace Kata.Integration.Tests.Hypervisor;

/// <summary>QEMU's <c>q35</c>.</summary>
public sealed class Q35ContractTests : DriverContract
{
    private protected override IHypervisorDriver Driver => QemuMachines.Driver;

    private protected override MachineConfig Config => QemuMachines.WithGuest("q35");
}
