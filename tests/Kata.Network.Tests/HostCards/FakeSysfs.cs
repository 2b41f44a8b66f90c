using Kata.Testing;

namespace Kata.Network.Tests;

/// <summary>
/// A directory that looks like sysfs to who asks for PCI devices, and whose drivers take and leave devices as the kernel's do: what is
/// written to its files has its effect.
/// </summary>
internal sealed class FakeSysfs : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly HashSet<string> _refusing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _usual = new(StringComparer.Ordinal); // who takes a device that nobody is forced to take

    public string Root => _directory.Path;

    /// <summary>What was written, in order, as <c>FILE=TEXT</c> with the file's last two names.</summary>
    public List<string> Writes { get; } = [];

    /// <summary>Adds a driver without devices.</summary>
    public void AddDriver(string name) => Directory.CreateDirectory($"{Root}/bus/pci/drivers/{name}");

    /// <summary>Has a driver refuse devices from now on.</summary>
    public void Refuse(string driver) => _refusing.Add(driver);

    /// <summary>Adds a device.</summary>
    /// <param name="address">Where it is.</param>
    /// <param name="driver">What has it, and takes it when it may; null for none.</param>
    /// <param name="group">Its IOMMU group; null without an IOMMU.</param>
    /// <param name="type">Its class: a network card's unless told.</param>
    public void AddDevice(string address, string? driver, int? group, string type = "0x020000")
    {
        string path = PathOf(address);
        Directory.CreateDirectory(path);
        File.WriteAllText($"{path}/driver_override", "(null)\n");
        File.WriteAllText($"{path}/class", $"{type}\n");
        if (group is not null)
        {
            File.CreateSymbolicLink($"{path}/iommu_group", $"../../../../kernel/iommu_groups/{group}");
            Directory.CreateDirectory($"{Root}/kernel/iommu_groups/{group}/devices/{address}");
        }

        if (driver is not null)
        {
            AddDriver(driver);
            _usual[address] = driver;
            Take(address, driver);
        }
    }

    /// <summary>The driver that has a device; null for none.</summary>
    public string? DriverOf(string address) => Path.GetFileName(new FileInfo($"{PathOf(address)}/driver").LinkTarget);

    /// <summary>What is written to <c>driver_override</c>, as the kernel shows it.</summary>
    public string OverrideOf(string address) => File.ReadAllText($"{PathOf(address)}/driver_override").Trim();

    /// <summary>Where a device is shown.</summary>
    public string PathOf(string address) => $"{Root}/bus/pci/devices/{address}";

    /// <summary>Writes as the kernel would be written to.</summary>
    /// <exception cref="IOException">What is written to has no such file, or refuses.</exception>
    public void Write(string path, string text)
    {
        string parent = Path.GetFileName(Path.GetDirectoryName(path)!), file = Path.GetFileName(path);
        Writes.Add($"{parent}/{file}={text.TrimEnd('\n')}");
        switch (file)
        {
            case "driver_override":
                File.WriteAllText(path, text.Trim().Length == 0 ? "(null)\n" : text);
                break;
            case "unbind":
                File.Delete($"{PathOf(text)}/driver");
                break;
            case "drivers_probe":
                string? wanted = OverrideOf(text) is var forced and not "(null)" ? forced : _usual.GetValueOrDefault(text);
                if (wanted is not null && _refusing.Contains(wanted))
                {
                    throw new IOException("Invalid argument");
                }

                if (wanted is not null && Directory.Exists($"{Root}/bus/pci/drivers/{wanted}"))
                {
                    Take(text, wanted);
                }

                break;
            default:
                throw new IOException($"No such file: {path}");
        }
    }

    public void Dispose() => _directory.Dispose();

    private void Take(string address, string driver) =>
        File.CreateSymbolicLink($"{PathOf(address)}/driver", $"../../drivers/{driver}");
}
