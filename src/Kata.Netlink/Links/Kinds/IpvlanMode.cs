namespace Kata.Netlink;

/// <summary>How an ipvlan link looks at packets (linux/if_link.h).</summary>
public enum IpvlanMode : ushort
{
    /// <summary>As a switch.</summary>
    L2 = 0,

    /// <summary>As a router.</summary>
    L3 = 1,

    /// <summary>As a router, with the host's netfilter.</summary>
    L3S = 2,
}
