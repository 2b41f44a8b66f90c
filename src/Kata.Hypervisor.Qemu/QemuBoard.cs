using System.Globalization;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// What one of QEMU's machine types is like: how virtio devices are attached to it, and what comes and goes while it runs.
/// </summary>
internal sealed record QemuBoard
{
    /// <summary>The bridge that disks, network cards and devices of the host are plugged into.</summary>
    public const string HotplugBridge = "hotplug";

    /// <summary>The bridge's place on the root bus: high, so that QEMU's own choice for other devices does not meet it.</summary>
    public const int HotplugBridgeSlot = 0x1e;

    /// <summary>A conventional PCI bus has 32 places; the bridge's own controller would have the first.</summary>
    private const int BridgeSlots = 31;

    /// <summary>QEMU gives microvm 24 virtio-mmio transports; some are for what every machine has.</summary>
    private const int MmioPlaces = 16;

    private const DeviceKinds Pluggable =
        DeviceKinds.Disk | DeviceKinds.Network | DeviceKinds.Host | DeviceKinds.VhostUserNetwork;

    private const DeviceKinds All =
        DeviceKinds.Console | DeviceKinds.AgentChannel | DeviceKinds.Random | DeviceKinds.FileShare | Pluggable;

    private QemuBoard(string type) => Type = type;

    /// <summary>QEMU's name of it.</summary>
    public string Type { get; }

    /// <summary>Whether it has a PCI bus; else virtio devices are memory-mapped.</summary>
    public bool IsPci => Type != "microvm";

    /// <summary>Whether its PCI bus is an Express one.</summary>
    public bool IsExpress => Type is "q35" || Type.StartsWith("pc-q35-", StringComparison.Ordinal);

    /// <summary>The name of its PCI bus.</summary>
    public string RootBus => IsExpress ? "pcie.0" : "pci.0";

    /// <summary>Whether processors and memory can be given to it while it runs.</summary>
    public bool Grows => IsPci;

    /// <summary>The name of a virtio device's model on this board.</summary>
    public string Model(string device) => device + (IsPci ? "-pci" : "-device");

    /// <summary>
    /// <c>-machine</c>. Without an HPET the guest does not calibrate against an emulated one; other boards do not know the property.
    /// </summary>
    public string MachineOption => IsPci
        ? $"{Type},memory-backend=mem0,usb=off,vmport=off,sata=off,smbus=off{(Type is "q35" or "pc" ? ",hpet=off" : "")}"
        // With ACPI, by which the guest's kernel finds the devices; emulated, it hangs without the timer and interrupt controller of old.
        : $"{Type},memory-backend=mem0,acpi=on,pcie=off,usb=off,auto-kernel-cmdline=off";

    /// <summary>
    /// How the guest resets the board: by its keyboard controller, or where there is none by a triple fault. A kernel that tries what is
    /// not there waits for it, and now and then for ever. And no bounce buffers: a kernel that may be given memory above 4 GiB later would
    /// set 64 MiB aside for them at its boot, which modern virtio devices never use.
    /// </summary>
    public string KernelParameters => IsPci ? "reboot=k swiotlb=noforce" : "reboot=t";

    /// <summary>Whether a device has its place behind the bridge, where one can come and go.</summary>
    public static bool IsPluggable(Device device) => Pluggable.HasFlag(device.Kind);

    /// <summary>The name of a PCI Express port, counted from 0.</summary>
    public static string PortName(int port) => string.Create(CultureInfo.InvariantCulture, $"port{port}");

    /// <summary>What a machine on this board can do.</summary>
    public MachineCapabilities Capabilities => new()
    {
        Machine = $"QEMU's machine type '{Type}'",
        Cold = IsPci ? All : All & ~DeviceKinds.Host,
        Hot = IsPci ? Pluggable & ~DeviceKinds.VhostUserNetwork : DeviceKinds.None, // the jail's root cannot have its socket any more
        NoHotplugReason = IsPci ? null : "it has no PCI bus",
        MaxPluggable = IsPci ? BridgeSlots : MmioPlaces,
        Pause = true,
    };

    /// <summary>The board of a machine type, <c>q35</c> for an empty one; every one but <c>microvm</c> counts as a PC.</summary>
    public static QemuBoard Of(string machineType) => new(machineType.Length == 0 ? "q35" : machineType);
}
