namespace Kata.Netlink;

/// <summary>How a link gets its link-local IPv6 address (IN6_ADDR_GEN_MODE_, linux/if_link.h).</summary>
public enum AddressGeneration : byte
{
    /// <summary>From its MAC address.</summary>
    Eui64 = 0,

    /// <summary>The kernel makes none.</summary>
    None = 1,

    /// <summary>From the secret of the network namespace (RFC 7217).</summary>
    StablePrivacy = 2,

    /// <summary>From a secret of the kernel's own.</summary>
    Random = 3,
}
