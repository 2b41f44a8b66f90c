using System.Globalization;

namespace Kata.Linux;

/// <summary>
/// The PCI devices of the host and their drivers, as the kernel's sysfs shows and changes them: Documentation/ABI/testing/sysfs-bus-pci.
/// </summary>
/// <param name="root">Where sysfs is.</param>
/// <param name="write">Writes a text to a file that is there; null for the kernel's own.</param>
internal sealed class PciBus(string root = "/sys", Action<string, string>? write = null)
{
    /// <summary>The driver by which processes use devices.</summary>
    public const string VfioDriver = "vfio-pci";

    private const string BridgeClass = "0x06"; // PCI_BASE_CLASS_BRIDGE, linux/pci_ids.h

    /// <summary>Drivers that use no memory of others, <c>driver_managed_dma</c> in the kernel.</summary>
    private static readonly string[] s_harmless = [VfioDriver, "pci-stub", "pcieport"];

    private readonly Action<string, string> _write = write ?? File.WriteAllText;

    /// <summary>The PCI device that is, or carries, a device of a bus; null where there is none.</summary>
    /// <param name="bus">The kernel's name of it: <c>pci</c>, <c>virtio</c>.</param>
    /// <param name="device">The device's name on it: <c>0000:3b:00.1</c>, <c>virtio3</c>.</param>
    public PciAddress? Find(string bus, string device) => bus switch
    {
        "pci" => PciAddress.TryParse(device, out PciAddress? address) && Directory.Exists(PathOf(address)) ? address : null,
        "virtio" => LinkTarget($"{root}/bus/virtio/devices/{device}") is { } target
            && PciAddress.TryParse(Path.GetFileName(Path.GetDirectoryName(target)) ?? "", out PciAddress? carrier) ? carrier : null,
        _ => null,
    };

    /// <summary>Whether the kernel has a driver.</summary>
    public bool HasDriver(string driver) => Directory.Exists($"{root}/bus/pci/drivers/{driver}");

    /// <summary>The driver that has a device; null for none.</summary>
    public string? DriverOf(PciAddress device) => Path.GetFileName(LinkTarget($"{PathOf(device)}/driver"));

    /// <summary>The only driver that may take a device, as somebody has set; null where any may.</summary>
    public string? OverrideOf(PciAddress device) =>
        ReadText($"{PathOf(device)}/driver_override") is { Length: > 0 } name and not "(null)" ? name : null;

    /// <summary>The number of the device's IOMMU group; null where no IOMMU keeps its memory accesses apart.</summary>
    public int? GroupOf(PciAddress device) => int.TryParse(
        Path.GetFileName(LinkTarget($"{PathOf(device)}/iommu_group")), NumberStyles.None, CultureInfo.InvariantCulture, out int group)
        ? group : null;

    /// <summary>
    /// The other devices of its group that somebody uses: with them, nobody can be given the device. Bridges do not count.
    /// </summary>
    public IReadOnlyList<PciAddress> UsersOfGroup(PciAddress device) => GroupOf(device) is { } group
        ?
        [
            .. Names($"{root}/kernel/iommu_groups/{group.ToString(CultureInfo.InvariantCulture)}/devices")
                .Select(static name => PciAddress.TryParse(name, out PciAddress? other) ? other : null).OfType<PciAddress>()
                .Where(other => other != device && DriverOf(other) is { } driver && !s_harmless.Contains(driver) && !IsBridge(other)),
        ]
        : [];

    /// <summary>The names of its network interfaces in the namespace that this sysfs is of.</summary>
    public IReadOnlyList<string> InterfacesOf(PciAddress device) =>
    [
        .. Names($"{PathOf(device)}/net"),
        .. Names(PathOf(device)).Where(static name => name.StartsWith("virtio", StringComparison.Ordinal))
            .SelectMany(name => Names($"{PathOf(device)}/{name}/net")),
    ];

    /// <summary>How many virtual functions it has: they end with its driver.</summary>
    public int VirtualFunctionsOf(PciAddress device) =>
        ReadText($"{PathOf(device)}/sriov_numvfs") is { } text
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 0;

    /// <summary>The number of the character device that stands for a group; null before one of its devices has the driver for it.</summary>
    public (uint Major, uint Minor)? NumberOfGroup(int group)
    {
        string[] parts = (ReadText($"{root}/class/vfio/{group.ToString(CultureInfo.InvariantCulture)}/dev") ?? "").Split(':');
        return parts.Length == 2 && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint major)
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint minor) ? (major, minor) : null;
    }

    /// <summary>Has <see cref="VfioDriver"/> take a device from its driver. One that fails has changed nothing.</summary>
    /// <exception cref="IOException">There is no such driver, or it does not take the device.</exception>
    public void GiveToVfio(PciAddress device)
    {
        if (!HasDriver(VfioDriver))
        {
            throw new IOException(
                $"Cannot take the PCI device '{device}' from its driver: the host's kernel has no driver '{VfioDriver}'. "
                    + $"Load it with 'modprobe {VfioDriver}'");
        }

        (string? driver, string? forced) = (DriverOf(device), OverrideOf(device));
        try
        {
            Rebind(device, VfioDriver);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var cleanUp = new CleanUp();
            cleanUp.Try(() => GiveBack(device, driver, forced));
            throw new IOException(
                $"Cannot take the PCI device '{device}' from its driver '{driver}' for a guest: {error.Message}"
                    + (cleanUp.Failure is { } failure ? $". And it is not as before: {failure.Message}" : ""),
                error);
        }
    }

    /// <summary>Has a device's driver take it again. Does nothing for one that is gone, or as it was.</summary>
    /// <param name="device">The device. No process has it open.</param>
    /// <param name="driver">What <see cref="DriverOf"/> was; null for none.</param>
    /// <param name="forced">What <see cref="OverrideOf"/> was; null for none.</param>
    /// <exception cref="IOException">It does not. The call may be repeated.</exception>
    public void GiveBack(PciAddress device, string? driver, string? forced)
    {
        if (!Directory.Exists(PathOf(device)))
        {
            return; // somebody has unplugged it, or taken its virtual functions from the card
        }

        try
        {
            if (DriverOf(device) != driver)
            {
                Rebind(device, driver);
            }
        }
        finally
        {
            Force(device, forced);
        }
    }

    private void Rebind(PciAddress device, string? driver)
    {
        Force(device, driver);
        if (DriverOf(device) is not null)
        {
            _write($"{PathOf(device)}/driver/unbind", device.Value);
        }

        if (driver is null)
        {
            return;
        }

        _write($"{root}/bus/pci/drivers_probe", device.Value);
        if (DriverOf(device) is var now && now != driver)
        {
            throw new IOException($"The driver '{driver}' does not take the PCI device '{device}', which has {now ?? "none"} now");
        }
    }

    private void Force(PciAddress device, string? driver) => _write($"{PathOf(device)}/driver_override", $"{driver}\n");

    private bool IsBridge(PciAddress device) =>
        ReadText($"{PathOf(device)}/class") is { } value && value.StartsWith(BridgeClass, StringComparison.Ordinal);

    private string PathOf(PciAddress device) => $"{root}/bus/pci/devices/{device}";

    private static string? LinkTarget(string path) => new FileInfo(path).LinkTarget;

    private static IEnumerable<string> Names(string directory) => Directory.Exists(directory)
        ? Directory.EnumerateFileSystemEntries(directory).Select(static path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)
        : [];

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
