namespace Kata.Agent.Boot;

/// <summary>
/// virtio devices of a machine that needs no PCI bus for them, such as QEMU's microvm. Such a machine tells of them by ACPI, or by words
/// on the kernel's command line; every other can do without the driver.
/// </summary>
internal static class MmioTransport
{
    /// <summary>The driver.</summary>
    public const string Module = "virtio_mmio";

    // The first of those that drivers/virtio/virtio_mmio.c takes (virtio_mmio_acpi_match).
    private const string AcpiDevice = "bus/acpi/devices/LNRO0005:00";

    /// <summary>The driver's parameters, which a module is not told by the kernel; null when the machine has no such device.</summary>
    /// <param name="commandLine">The kernel's.</param>
    /// <param name="sys">Where /sys is.</param>
    public static IReadOnlyList<string>? Find(string commandLine, string sys)
    {
        const string Prefix = Module + ".";
        string[] parameters =
        [
            .. commandLine.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
                .Where(static word => word.StartsWith(Prefix, StringComparison.Ordinal))
                .Select(static word => word[Prefix.Length..]),
        ];
        return parameters.Length > 0 || Directory.Exists($"{sys}/{AcpiDevice}") ? parameters : null;
    }
}
