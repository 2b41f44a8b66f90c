using System.Diagnostics.CodeAnalysis;

namespace Kata.Netlink;

/// <summary>Flags of a link (linux/if.h). The first line of each says who sets it: the administrator, or the kernel alone.</summary>
[Flags]
[SuppressMessage("Naming", "CA1711", Justification = "the kernel's word")]
public enum LinkFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Administrator: the link is to work.</summary>
    Up = 0x1,

    /// <summary>Kernel: it has a broadcast address.</summary>
    Broadcast = 0x2,

    /// <summary>Administrator: debugging.</summary>
    Debug = 0x4,

    /// <summary>Kernel: it is a loopback.</summary>
    Loopback = 0x8,

    /// <summary>Kernel: it has one peer.</summary>
    PointToPoint = 0x10,

    /// <summary>Kernel: it works (RFC 2863).</summary>
    Running = 0x40,

    /// <summary>Administrator: no ARP.</summary>
    NoArp = 0x80,

    /// <summary>Administrator: it receives everything. Something else may have it receive everything without this flag: see
    /// <see cref="Link.Promiscuity"/>.</summary>
    Promiscuous = 0x100,

    /// <summary>Administrator: it receives all multicast packets.</summary>
    AllMulticast = 0x200,

    /// <summary>Kernel: other links are its ports.</summary>
    Controller = 0x400,

    /// <summary>Kernel: it is a port of a bond.</summary>
    Port = 0x800,

    /// <summary>Administrator: it can do multicast.</summary>
    Multicast = 0x1000,

    /// <summary>Administrator: its addresses go when it goes down.</summary>
    Dynamic = 0x8000,

    /// <summary>Kernel: it has a carrier.</summary>
    LowerUp = 0x10000,

    /// <summary>Kernel: it waits for something, as 802.1X.</summary>
    Dormant = 0x20000,

    /// <summary>Kernel: it echoes what it sent.</summary>
    Echo = 0x40000,
}
