using System.Globalization;
using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Devices;

/// <summary>The block devices that the kernel has at this moment, by /sys (sysfs(5)).</summary>
/// <param name="sys">Where /sys is.</param>
/// <param name="isReady">
/// Whether the device of a node can be opened: the kernel shows a disk a moment before it can be, and announces it a moment after.
/// </param>
internal sealed class BlockDevices(string sys, Func<string, bool> isReady)
{
    private const int TextLimit = 256; // virtio-blk's serial numbers have 20 bytes, others some more
    private const int DescribedLimit = 16;

    /// <summary>Those of this guest.</summary>
    public static BlockDevices OfThisGuest { get; } = new("/sys", CanOpen);

    /// <summary>The node of the device with a serial number, or null.</summary>
    public string? FindSerial(string serial) => Names().Where(name => SerialOf(name) == serial).Select(NodeOf).FirstOrDefault(isReady);

    /// <summary>The node of the disk of a virtio device at a place on the PCI bus, or null.</summary>
    public string? FindPci(PciPath path)
    {
        string? directory = $"{sys}/devices/pci0000:00";
        foreach (string device in path.Devices)
        {
            directory = Entries(directory).FirstOrDefault(entry => PciPath.IsAddress(Path.GetFileName(entry), device));
            if (directory is null)
            {
                return null;
            }
        }

        return Entries(directory).Where(static entry => Path.GetFileName(entry).StartsWith("virtio", StringComparison.Ordinal))
            .SelectMany(entry => Entries($"{entry}/block"))
            .Select(static entry => NodeOf(Path.GetFileName(entry)))
            .FirstOrDefault(isReady);
    }

    /// <summary>The node itself when its disk or partition is there, or null.</summary>
    /// <param name="node"><c>/dev/NAME</c>.</param>
    public string? FindNode(string node) => Directory.Exists($"{sys}/class/block/{Path.GetFileName(node)}") && isReady(node) ? node : null;

    /// <summary>The number of the disk or partition of a node.</summary>
    /// <exception cref="Grpc.Core.RpcException">NotFound: it has gone.</exception>
    public DeviceNumber NumberOf(string node)
    {
        string[] parts = (Read($"class/block/{Path.GetFileName(node)}/dev") ?? "").Split(':');
        return parts.Length == 2 && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint major)
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint minor)
                ? new DeviceNumber(major, minor)
                : throw AgentException.NotFound(
                    $"Cannot find the number of the block device '{node}': the guest's kernel has it no more. Attach it again");
    }

    /// <summary>Which there are, as a sentence without its full stop.</summary>
    public string Describe()
    {
        string[] found = [.. Names()];
        Array.Sort(found, StringComparer.Ordinal);
        if (found.Length == 0)
        {
            return "The guest has no block device";
        }

        string rest = found.Length > DescribedLimit ? " and more" : "";
        return $"The guest has {string.Join(", ", found.Take(DescribedLimit).Select(Describe))}{rest}";
    }

    private string Describe(string name)
    {
        var text = new StringBuilder($"'{NodeOf(name)}'");
        string? serial = SerialOf(name);
        PciPath? path = PciPath.OfDevice(LinkOf(name));
        if (serial is not null || path is not null)
        {
            string?[] parts = [serial is null ? null : $"serial number '{serial}'", path is null ? null : $"PCI path '{path}'"];
            text.Append(" (").AppendJoin(", ", parts.OfType<string>()).Append(')');
        }

        return text.ToString();
    }

    private IEnumerable<string> Names() => Entries($"{sys}/block").Select(static entry => Path.GetFileName(entry));

    private string? SerialOf(string name) => Read($"block/{name}/serial");

    // The beginning of a file; null when it has none, or there is none.
    private string? Read(string file)
    {
        try
        {
            using FileStream content = File.OpenRead($"{sys}/{file}");
            byte[] text = new byte[TextLimit];
            int length = content.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            string line = Encoding.UTF8.GetString(text, 0, length).Trim();
            return line.Length > 0 ? line : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // the device has no such file, or is going
        }
    }

    private string LinkOf(string name)
    {
        try
        {
            return new FileInfo($"{sys}/block/{name}").LinkTarget ?? "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string NodeOf(string name) => $"/dev/{name}";

    private static IReadOnlyList<string> Entries(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(directory)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return []; // it is not there, or going
        }
    }

    private static bool CanOpen(string node)
    {
        using SafeFileDescriptor device = LibC.open(node, LibC.O_RDONLY | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0);
        return !device.IsInvalid && FileStatus.Of(device).IsBlockDevice;
    }
}
