using System.Globalization;
using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// What a <see cref="Device"/> is to QEMU. Pure, and the only place that knows: command line and control channel both come from it.
/// </summary>
internal static class QemuDevices
{
    /// <summary>The device behind which a file server is.</summary>
    public const string FileShare = "vhost-user-fs";

    // The first is a console's. Each is two queues, which the guest sets up at boot, and where QEMU carries out what the guest asks for
    // itself, as without KVM, two descriptors in each of its polls: 31, the default, make each packet of a network a third dearer.
    private const int SerialPorts = 2;

    /// <param name="device">What to translate.</param>
    /// <param name="board">What it is attached to.</param>
    /// <param name="handles">
    /// Its descriptors: those of <see cref="DeviceDescriptors"/> in their order, or for a channel the driver's own.
    /// </param>
    /// <param name="slot">
    /// Its place as <see cref="PciSlots"/> counts them; for what comes and goes, on a board with PCI only.
    /// </param>
    /// <param name="vsockContextId">The guest's vsock address; for an agent channel by vsock only.</param>
    public static IReadOnlyList<QemuPart> Translate(
        Device device, QemuBoard board, IReadOnlyList<QemuHandle> handles, int slot = 0, uint vsockContextId = 0)
    {
        string id = device.Id.Value;
        return device switch
        {
            ConsoleDevice => [new QemuSocket(id, handles[0], 0, Listens: true), new QemuFixture("-serial", $"chardev:{id}")],
            AgentChannelDevice { Transport: AgentTransport.Vsock } =>
                [Frontend(board, "vhost-vsock", id, ("guest-cid", vsockContextId), ("vhostfd", handles[0].Name))],
            AgentChannelDevice =>
            [
                new QemuSocket($"{id}-channel", handles[0], 0, Listens: true),
                Frontend(board, "virtio-serial", $"{id}-bus", ("max_ports", SerialPorts)),
                new QemuFrontend(new QmpObject
                {
                    ["driver"] = "virtserialport", ["id"] = id, ["bus"] = $"{id}-bus.0",
                    ["chardev"] = $"{id}-channel", ["name"] = "agent.channel.0",
                }),
            ],
            RandomDevice { FromHostDevice: true } => Random(board, id, new QemuFile(handles[0], 0)),
            RandomDevice => Random(board, id, null),
            FileShareDevice share =>
            [
                new QemuSocket($"{id}-channel", handles[0], 0, Listens: false),
                Frontend(board, FileShare, id, ("chardev", $"{id}-channel"), ("tag", share.Tag), ("queue-size", 1024)),
            ],
            DiskDevice disk => Disk(disk, board, new QemuFile(handles[0], 0), slot),
            HostDevice host => [Host(host, board, slot)],
            NetworkDevice card => Network(card, board, handles, slot),
            VhostUserNetworkDevice card => VhostUserNetwork(card, board, slot),
            _ => throw new ArgumentException($"QEMU has no translation of {device.GetType().Name}", nameof(device)),
        };
    }

    /// <summary>What the directory of a vhost-user card's socket is called in the root of the jail.</summary>
    public static string DirectoryOf(VhostUserNetworkDevice card) => $"net-{card.Id}";

    private static QemuPart[] Random(QemuBoard board, string id, QemuFile? source)
    {
        string generator = $"{id}-source";
        return
        [
            .. source is null ? (QemuPart[])[] : [source],
            new QemuObject(source is null
                ? new QmpObject { ["qom-type"] = "rng-builtin", ["id"] = generator }
                : new QmpObject { ["qom-type"] = "rng-random", ["id"] = generator, ["filename"] = source.Path }),
            Frontend(board, "virtio-rng", id, ("rng", generator)),
        ];
    }

    private static QemuPart[] Disk(DiskDevice disk, QemuBoard board, QemuFile file, int slot)
    {
        string node = $"{disk.Id}-image";
        QmpObject image = new()
        {
            ["driver"] = "raw",
            ["node-name"] = node,
            ["read-only"] = disk.ReadOnly,
            ["discard"] = "unmap", // what the guest frees becomes free on the host
            ["file"] = new QmpObject
            {
                ["driver"] = disk.IsBlockDevice ? "host_device" : "file",
                ["filename"] = file.Path,
                ["read-only"] = disk.ReadOnly,
                ["discard"] = "unmap",
            },
        };
        return
        [
            file,
            new QemuBlockNode(image),
            Frontend(board, "virtio-blk", disk.Id.Value, [("drive", node), ("serial", disk.Serial), .. Place(board, slot)]),
        ];
    }

    private static QemuPart[] Network(NetworkDevice card, QemuBoard board, IReadOnlyList<QemuHandle> handles, int slot)
    {
        string tap = $"{card.Id}-tap";
        return
        [
            .. handles.Select(static (handle, index) => new QemuDescriptor(handle, index)),
            new QemuTap(tap, [.. handles.Take(card.Queues)], [.. handles.Skip(card.Queues)]),
            Card(
                board, card.Id.Value, tap, card.Address, card.Queues, slot,
                [
                    // One interrupt for each direction of a queue, one for its control, one for changes of the device.
                    .. card.Queues > 1 && board.IsPci ? ((string, QmpValue)[])[("vectors", (2 * card.Queues) + 2)] : [],
                    .. card.QueueSize == VhostUserNetworkDevice.MinQueueSize
                        ? [] : ((string, QmpValue)[])[("rx_queue_size", card.QueueSize)],
                ]),
        ];
    }

    private static QemuPart[] VhostUserNetwork(VhostUserNetworkDevice card, QemuBoard board, int slot)
    {
        string channel = $"{card.Id}-channel", end = $"{card.Id}-end";
        return
        [
            new QemuPathSocket(channel, $"/{DirectoryOf(card)}/{VhostUserNetworkDevice.SocketName}"),
            new QemuVhostUser(end, channel, card.Queues),
            Card(
                board, card.Id.Value, end, card.Address, card.Queues, slot,
                [("rx_queue_size", card.QueueSize), ("tx_queue_size", card.QueueSize)]),
        ];
    }

    private static QemuFrontend Card(
        QemuBoard board, string id, string end, string address, int queues, int slot, (string Name, QmpValue Value)[] more) =>
        Frontend(board, "virtio-net", id,
        [
            ("netdev", end), ("mac", address),
            .. queues > 1 ? ((string, QmpValue)[])[("mq", true)] : [],
            .. more,
            .. board.IsPci ? ((string, QmpValue)[])[("romfile", "")] : [], // nobody boots from it
            .. Place(board, slot),
        ]);

    private static QemuFrontend Host(HostDevice device, QemuBoard board, int slot)
    {
        QmpObject options = new()
        {
            ["driver"] = "vfio-pci",
            ["id"] = device.Id.Value,
            ["host"] = device.Address.Value,
            ["rombar"] = 0, // nobody boots from it
        };
        foreach ((string name, QmpValue value) in Place(board, slot))
        {
            options[name] = value;
        }

        return new QemuFrontend(options);
    }

    private static (string Name, QmpValue Value)[] Place(QemuBoard board, int slot) => slot switch
    {
        _ when !board.IsPci => [],
        >= PciSlots.FirstPort => [("bus", QemuBoard.PortName(slot - PciSlots.FirstPort)), ("addr", "0x0")],
        _ => [("bus", QemuBoard.HotplugBridge), ("addr", string.Create(CultureInfo.InvariantCulture, $"0x{slot:x}"))],
    };

    private static QemuFrontend Frontend(
        QemuBoard board, string device, string id, params ReadOnlySpan<(string Name, QmpValue Value)> properties)
    {
        QmpObject options = new() { ["driver"] = board.Model(device), ["id"] = id };
        foreach ((string name, QmpValue value) in properties)
        {
            options[name] = value;
        }

        // The modern interface alone; vhost devices and vhost-user-fs have no other.
        if (board.IsPci && device is "virtio-serial" or "virtio-rng" or "virtio-blk" or "virtio-net")
        {
            options["disable-legacy"] = "on";
        }

        return new QemuFrontend(options);
    }
}
