using System.Text;

namespace Kata.Agent.Devices;

/// <summary>What the host knows a block device by.</summary>
/// <param name="Text">For people: "with the serial number 'x'".</param>
/// <param name="Find">Its node when it is there, else null.</param>
internal sealed record BlockDeviceName(string Text, Func<BlockDevices, string?> Find)
{
    private const int SerialLimit = 20; // VIRTIO_BLK_ID_BYTES, linux/virtio_blk.h
    private const string NodeRoot = "/dev/";

    /// <summary>By the option <c>serial=TEXT</c>, or else by what a driver takes a source for.</summary>
    /// <param name="options">Of the storage or device.</param>
    /// <param name="source">What it has besides.</param>
    /// <param name="bySource">What that means.</param>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: it names no device.</exception>
    public static BlockDeviceName Of(IReadOnlyList<string> options, string source, Func<string, BlockDeviceName> bySource)
    {
        const string Serial = "serial=";
        if (options.FirstOrDefault(static option => !option.StartsWith(Serial, StringComparison.Ordinal)) is { } unknown)
        {
            throw AgentException.Invalid(
                $"Cannot use the option '{unknown}' for a block device: it is unknown. "
                + $"There is '{Serial}TEXT', the device's serial number");
        }

        return options.Count switch
        {
            0 => bySource(source),
            1 => OfSerial(options[0][Serial.Length..]),
            _ => throw AgentException.Invalid($"Cannot find a block device by {options.Count} serial numbers. Give one"),
        };
    }

    /// <summary>By the serial number of a virtio disk.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: no virtio disk can have it.</exception>
    public static BlockDeviceName OfSerial(string serial) =>
        Encoding.UTF8.GetByteCount(serial) is > 0 and <= SerialLimit && serial.Trim() == serial && !serial.Any(char.IsControl)
            ? new BlockDeviceName($"with the serial number '{serial}'", devices => devices.FindSerial(serial))
            : throw AgentException.Invalid(
                $"Cannot find a block device by the serial number '{serial}': no virtio disk has it. Give one of 1 to {SerialLimit} bytes");

    /// <summary>By the place of a virtio disk on the PCI bus.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: that is no place.</exception>
    public static BlockDeviceName OfPci(string text) => PciPath.Parse(text) is { } path
        ? new BlockDeviceName($"at the PCI path '{path}'", devices => devices.FindPci(path))
        : throw AgentException.Invalid(
            $"Cannot find a block device at the PCI path '{text}': it is none. "
            + "Give the number of each device on the way in two hexadecimal digits, such as '02' or '02/0a'");

    /// <summary>By the name that the guest's kernel gives it.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: that is no node of a device.</exception>
    public static BlockDeviceName OfNode(string node)
    {
        string name = node.StartsWith(NodeRoot, StringComparison.Ordinal) ? node[NodeRoot.Length..] : "";
        return name is not ("" or "." or "..") && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? new BlockDeviceName($"'{node}'", devices => devices.FindNode(node))
            : throw AgentException.Invalid(
                $"Cannot find the block device '{node}': it is no path of a device. Give one such as '/dev/vda'");
    }
}
