using Kata.Hypervisor;
using Kata.Hypervisor.Contract;

namespace Kata.Integration.Tests.Hypervisor;

/// <summary>QEMU's <c>microvm</c> takes nothing while it runs.</summary>
public sealed class MicrovmHotplugTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Plug_RunningMachine_IsRefusedWithTheReason()
    {
        await using TestMachine test = await QemuMachines.CreateAsync(QemuMachines.WithGuest("microvm"));
        await test.Machine.StartAsync(Cancellation);
        using var descriptors = new DeviceDescriptors();
        DiskDevice disk = TestDisks.Add(descriptors, "disk1");

        HypervisorException error = await Assert.ThrowsAsync<HypervisorException>(
            () => ((IDeviceHotplug)test.Machine).PlugAsync(disk, descriptors, Cancellation));

        Assert.Contains("'microvm' takes it only before it starts: it has no PCI bus", error.Message);
    }
}
