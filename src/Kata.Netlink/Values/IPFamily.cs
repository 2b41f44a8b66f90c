namespace Kata.Netlink;

/// <summary>Which version of IP, with the kernel's numbers.</summary>
public enum IPFamily : byte
{
    /// <summary>Both, where something is listed (AF_UNSPEC).</summary>
    Any = 0,

    /// <summary>AF_INET.</summary>
    IPv4 = 2,

    /// <summary>AF_INET6.</summary>
    IPv6 = 10,
}
