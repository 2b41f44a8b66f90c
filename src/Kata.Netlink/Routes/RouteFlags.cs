using System.Diagnostics.CodeAnalysis;

namespace Kata.Netlink;

/// <summary>Flags of a route or of a next hop (RTNH_F_ and RTM_F_, linux/rtnetlink.h).</summary>
[Flags]
[SuppressMessage("Naming", "CA1711", Justification = "the kernel's word")]
public enum RouteFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Kernel: the next hop is dead.</summary>
    Dead = 0x1,

    /// <summary>The gateway is on the link, although no route says so.</summary>
    Onlink = 0x4,

    /// <summary>Kernel: hardware does it.</summary>
    Offload = 0x8,

    /// <summary>Kernel: the link has no carrier.</summary>
    LinkDown = 0x10,

    /// <summary>Kernel: it is in the cache only.</summary>
    Cloned = 0x200,
}
