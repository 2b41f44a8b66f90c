using Kata.Hypervisor;
using Kata.Hypervisor.Contract;

namespace Kata.Integration.Tests.Hypervisor;

/// <summary>QEMU's <c>microvm</c>.</summary>
public sealed class MicrovmContractTests : DriverContract
{
    private protected override IHypervisorDriver Driver => QemuMachines.Driver;

    private protected override MachineConfig Config => QemuMachines.WithGuest("microvm");
}
