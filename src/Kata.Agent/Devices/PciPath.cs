using System.Globalization;

namespace Kata.Agent.Devices;

/// <summary>
/// Where a device is on the PCI bus, as the host knows it before the guest has numbered the buses: on the root bus, and then behind each
/// bridge, a device's number in two hexadecimal digits, with a function that is not 0 behind a dot: <c>02/0a</c>, <c>03.1</c>.
/// </summary>
internal sealed class PciPath
{
    private const int DepthLimit = 16; // bridges behind each other, of which a machine has one or two
    private const int DeviceLimit = 32; // of a bus: PCI_SLOT, linux/pci.h
    private const int AddressLength = 12; // 0000:00:02.0

    private PciPath(string[] devices) => Devices = devices;

    /// <summary>From the root bus on, as the kernel ends their addresses: <c>02.0</c>.</summary>
    public IReadOnlyList<string> Devices { get; }

    /// <summary>Null for a text that is no path.</summary>
    public static PciPath? Parse(string text)
    {
        string[] devices =
            [.. text.Split('/', DepthLimit + 1).Select(static item => item.Contains('.', StringComparison.Ordinal) ? item : $"{item}.0")];
        return devices.Length <= DepthLimit && Array.TrueForAll(devices, IsDevice) ? new PciPath(devices) : null;
    }

    /// <summary>The path of a device below /sys/devices; null when it is on no PCI bus.</summary>
    public static PciPath? OfDevice(string path)
    {
        string[] devices = [.. path.Split('/').Where(IsAddress).Select(DeviceOf)];
        return devices.Length is > 0 and <= DepthLimit ? new PciPath(devices) : null;
    }

    /// <summary>
    /// Whether a directory of /sys is that of a device, by its address; and whether it is the one of this number on its bus.
    /// </summary>
    public static bool IsAddress(string name, string device) => IsAddress(name) && DeviceOf(name) == device;

    public override string ToString() =>
        string.Join('/', Devices.Select(static device => device.EndsWith(".0", StringComparison.Ordinal) ? device[..^2] : device));

    private static bool IsAddress(string name) =>
        name.Length == AddressLength && name[4] == ':' && name[7] == ':' && IsDevice(DeviceOf(name));

    private static string DeviceOf(string address) => address[8..];

    private static bool IsDevice(string text) => text.Length == 4 && text[2] == '.' && text[3] is >= '0' and <= '7'
        && byte.TryParse(text.AsSpan(0, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte number)
        && number < DeviceLimit
        && !text.Any(char.IsAsciiLetterUpper);
}
