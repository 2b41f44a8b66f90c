using System.Runtime.InteropServices;

namespace Kata.Netlink;

/// <summary>What a new link is to have, or what of a link is to change. What is null stays as it is, or as the kernel chooses.</summary>
public sealed record LinkSettings
{
    /// <summary>Its name, up to 15 bytes. A <c>%d</c> in it becomes the first free number.</summary>
    public string? Name { get; init; }

    /// <summary>What it is, with its settings. Needed for a new link.</summary>
    public LinkKind? Kind { get; init; }

    /// <summary>The index of the link it lies on: for VLANs, macvlan, macvtap and ipvlan.</summary>
    public int? Parent { get; init; }

    /// <summary>The MAC address.</summary>
    public LinkAddress? Address { get; init; }

    /// <summary>The largest packet, in bytes.</summary>
    public uint? Mtu { get; init; }

    /// <summary>Flags to switch on, of those that an administrator may.</summary>
    public LinkFlags SetFlags { get; init; }

    /// <summary>Flags to switch off.</summary>
    public LinkFlags ClearFlags { get; init; }

    /// <summary>The index of the bridge, bond or VRF it becomes a port of; 0 takes it out.</summary>
    public int? Controller { get; init; }

    /// <summary>How many packets may wait to be sent.</summary>
    public uint? TransmitQueueLength { get; init; }

    /// <summary>How many queues a new link has to send.</summary>
    public uint? TransmitQueues { get; init; }

    /// <summary>How many queues a new link has to receive.</summary>
    public uint? ReceiveQueues { get; init; }

    /// <summary>The group of links.</summary>
    public uint? Group { get; init; }

    /// <summary>A free text; empty takes it away. Only for a link that is there: of a new one the kernel would overlook it.</summary>
    public string? Alias { get; init; }

    /// <summary>How it gets its link-local IPv6 address when it goes up. Only for a link that is there.</summary>
    public AddressGeneration? AddressGeneration { get; init; }

    /// <summary>
    /// An open descriptor of the network namespace it is made in or moved to. Borrowed: it has to stay open until the request, or its
    /// batch, has been sent. A link that is moved goes down and loses its addresses.
    /// </summary>
    public SafeHandle? NetworkNamespace { get; init; }
}
