using Kata.Hypervisor;
using Kata.Hypervisor.Contract;
using Kata.Hypervisor.Qemu;
using Kata.Sandbox;

namespace Kata.Integration.Tests.Hypervisor;

/// <summary>Machines of a real QEMU, with what the host has for it: KVM and vsock, or emulation and virtio-serial.</summary>
internal static class QemuMachines
{
    private static readonly AcceleratorChoice s_host = new QemuDriver().Probe();

    public static QemuDriver Driver { get; } = new();

    /// <summary>A machine whose kernel finds no root file system, and says so.</summary>
    public static MachineConfig Config(string parameters = "") => new()
    {
        Name = "test",
        HypervisorPath = "/usr/bin/qemu-system-x86_64",
        KernelPath = GuestFiles.Kernel,
        KernelParameters = $"{SandboxPlanner.BaseParameters} quiet {parameters}".Trim(),
        MemoryMib = 256,
        Accelerator = s_host.Accelerator,
        TimestampKhz = s_host.TimestampKhz,
        Devices = [new ConsoleDevice(), new RandomDevice(FromHostDevice: false), new AgentChannelDevice(s_host.AgentTransport)],
    };

    /// <summary>A machine with our guest.</summary>
    public static MachineConfig WithGuest(string machineType) =>
        Config() with { MachineType = machineType, InitrdPath = GuestFiles.Initrd, MemoryMib = 512 };

    public static Task<TestMachine> CreateAsync(MachineConfig config, DeviceDescriptors? descriptors = null)
    {
        GuestFiles.RequireRoot();
        return TestMachine.CreateAsync(Driver, config, descriptors);
    }
}
