namespace Kata.Netlink;

/// <summary>A network interface as the kernel shows it.</summary>
public sealed partial record Link
{
    /// <summary>Index and name have to be given.</summary>
    public Link()
    {
    }

    /// <summary>Its number in this network namespace, from 1.</summary>
    public required int Index { get; init; }

    /// <summary>Its name, up to 15 bytes.</summary>
    public required string Name { get; init; }

    /// <summary>What it is and the settings of that; null for hardware and the loopback.</summary>
    public LinkKind? Kind { get; init; }

    /// <summary>What it is as a port of its controller: <c>bridge</c>, <c>bond</c>; null for none.</summary>
    public string? PortKind { get; init; }

    /// <summary>What hardware it is or plays (ARPHRD_): 1 is Ethernet, 772 the loopback.</summary>
    public ushort HardwareType { get; init; }

    /// <summary>What is switched on.</summary>
    public LinkFlags Flags { get; init; }

    /// <summary>Whether it works.</summary>
    public LinkOperState OperState { get; init; }

    /// <summary>Whether it has a carrier; null for links that are down, of which the kernel does not know.</summary>
    public bool? HasCarrier { get; init; }

    /// <summary>The MAC address of Ethernet.</summary>
    public LinkAddress Address { get; init; }

    /// <summary>The address of everybody on it.</summary>
    public LinkAddress Broadcast { get; init; }

    /// <summary>The address that the hardware came with; without bytes where it has none.</summary>
    public LinkAddress PermanentAddress { get; init; }

    /// <summary>The largest packet, in bytes.</summary>
    public uint Mtu { get; init; }

    /// <summary>The smallest <see cref="Mtu"/> it takes; 0 where the kernel does not say.</summary>
    public uint MinMtu { get; init; }

    /// <summary>The largest <see cref="Mtu"/> it takes; 0 where the kernel does not say.</summary>
    public uint MaxMtu { get; init; }

    /// <summary>The index of the bridge, bond or VRF it is a port of; null for none.</summary>
    public int? Controller { get; init; }

    /// <summary>
    /// The index of the link it lies on, or of a veth's peer; in the namespace <see cref="ParentNamespaceId"/> if that is not null.
    /// </summary>
    public int? Parent { get; init; }

    /// <summary>The id of the network namespace that <see cref="Parent"/> is in; null for this one.</summary>
    public int? ParentNamespaceId { get; init; }

    /// <summary>
    /// The name of the device that it belongs to, on <see cref="ParentBus"/>: a PCI address, <c>virtio3</c>. Null where it has none, or the
    /// kernel (before 5.14) does not say.
    /// </summary>
    public string? ParentDevice { get; init; }

    /// <summary>The kernel's name of the bus that <see cref="ParentDevice"/> is on: <c>pci</c>, <c>usb</c>, <c>virtio</c>.</summary>
    public string? ParentBus { get; init; }

    /// <summary>The group of links it belongs to.</summary>
    public uint Group { get; init; }

    /// <summary>How many packets may wait to be sent.</summary>
    public uint TransmitQueueLength { get; init; }

    /// <summary>How many queues it has to send.</summary>
    public uint TransmitQueues { get; init; }

    /// <summary>How many queues it has to receive.</summary>
    public uint ReceiveQueues { get; init; }

    /// <summary>How many have asked it to receive everything.</summary>
    public uint Promiscuity { get; init; }

    /// <summary>The largest packet that is given to it in one piece, in bytes; 0 where the kernel does not say.</summary>
    public uint GsoMaxSize { get; init; }

    /// <summary>In how many segments such a packet may end; 0 where the kernel does not say.</summary>
    public uint GsoMaxSegments { get; init; }

    /// <summary>How large received packets are put together, in bytes; 0 where the kernel does not say.</summary>
    public uint GroMaxSize { get; init; }

    /// <summary>A free text; null for none.</summary>
    public string? Alias { get; init; }

    /// <summary>How it gets its link-local IPv6 address; null when it has no IPv6.</summary>
    public AddressGeneration? AddressGeneration { get; init; }

    /// <summary>Its counters; null in notifications of kernels that leave them out.</summary>
    public LinkStatistics? Statistics { get; init; }
}
