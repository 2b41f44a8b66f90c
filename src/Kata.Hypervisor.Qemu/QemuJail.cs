using System.Globalization;
using Kata.Linux;

namespace Kata.Hypervisor.Qemu;

/// <summary>What QEMU sees of the host: its program, its libraries, its firmware, and the guest's kernel.</summary>
internal static class QemuJail
{
    /// <summary>As libvirt has it: registers of devices count as memory.</summary>
    private const ulong MoreLockedMib = 1024;

    private static readonly JailDevice s_vfio = new("/dev/vfio/vfio", 10, 196); // misc major, VFIO_MINOR: linux/miscdevice.h

    /// <summary>
    /// The host's paths for an executable, whatever prefix it is installed under. Those that do not exist are skipped later.
    /// </summary>
    public static IReadOnlyList<string> ReadOnlyPaths(string executable)
    {
        string prefix = Path.GetDirectoryName(Path.GetDirectoryName(executable)) ?? "/";
        HashSet<string> paths = [executable, "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"];
        foreach (string name in (ReadOnlySpan<string>)
            ["lib", "lib64", "libexec", "share/qemu", "share/kata-qemu", "share/seabios", "share/qemu-firmware"])
        {
            paths.Add(Path.Combine(prefix, name));
        }

        return [.. paths];
    }

    /// <summary>
    /// What QEMU needs to have devices of the host: the device nodes of VFIO and of their groups, and of sysfs no more than in which group
    /// each is.
    /// </summary>
    /// <param name="bus">The host's, where VFIO has the devices.</param>
    /// <param name="jail">Without them.</param>
    /// <param name="devices">The devices.</param>
    /// <exception cref="HypervisorException">VFIO does not have one of them.</exception>
    public static JailOptions WithHostDevices(PciBus bus, JailOptions jail, IReadOnlyCollection<HostDevice> devices) => devices.Count == 0
        ? jail
        : jail with
        {
            Devices = [s_vfio, .. devices.DistinctBy(static device => device.Group).Select(device => NodeOfGroup(bus, device))],
            Links = devices.ToDictionary(
                static device => $"/sys/bus/pci/devices/{device.Address}/iommu_group",
                static device => string.Create(CultureInfo.InvariantCulture, $"../../../../kernel/iommu_groups/{device.Group}")),
        };

    /// <summary>How much memory QEMU may keep in place for the devices, in bytes: the guest's, and some for what else they reach.</summary>
    public static ulong LockedMemoryOf(MachineConfig config) =>
        ((ulong)Math.Max(config.MemoryMib, config.MaxMemoryMib) + MoreLockedMib) << 20;

    private static JailDevice NodeOfGroup(PciBus bus, HostDevice device) => bus.NumberOfGroup(device.Group) is { } number
        ? new JailDevice(string.Create(CultureInfo.InvariantCulture, $"/dev/vfio/{device.Group}"), number.Major, number.Minor)
        : throw new HypervisorException(
            $"Cannot give the PCI device '{device.Address}' to the virtual machine: VFIO does not have its IOMMU group {device.Group}. "
                + "Look for messages of vfio in the kernel's log");
}
