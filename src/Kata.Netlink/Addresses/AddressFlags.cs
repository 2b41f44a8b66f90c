using System.Diagnostics.CodeAnalysis;

namespace Kata.Netlink;

/// <summary>Flags of an address (IFA_F_, linux/if_addr.h).</summary>
[Flags]
[SuppressMessage("Naming", "CA1711", Justification = "the kernel's word")]
public enum AddressFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Not the first of its prefix (IPv4), or temporary (IPv6).</summary>
    Secondary = 0x1,

    /// <summary>IPv6: no other is asked whether it has the address, too.</summary>
    NoDad = 0x2,

    /// <summary>IPv6: it is used before it is known that no other has it.</summary>
    Optimistic = 0x4,

    /// <summary>IPv6: another has it.</summary>
    DadFailed = 0x8,

    /// <summary>IPv6: a home address.</summary>
    Home = 0x10,

    /// <summary>Past its preferred lifetime.</summary>
    Deprecated = 0x20,

    /// <summary>IPv6: it is not known yet that no other has it; it cannot be used.</summary>
    Tentative = 0x40,

    /// <summary>For ever.</summary>
    Permanent = 0x80,

    /// <summary>IPv6: the kernel makes temporary addresses of its prefix.</summary>
    ManageTemporary = 0x100,

    /// <summary>No route to its prefix is made.</summary>
    NoPrefixRoute = 0x200,

    /// <summary>IPv4: the kernel joins it as a multicast group.</summary>
    AutoJoin = 0x400,

    /// <summary>IPv6: made from a secret (RFC 7217).</summary>
    StablePrivacy = 0x800,
}
