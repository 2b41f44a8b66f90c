namespace Kata.Netlink;

/// <summary>Which of several IPv6 routers is preferred (RFC 4191, linux/icmpv6.h).</summary>
public enum RoutePreference : byte
{
    /// <summary>As the others.</summary>
    Medium = 0,

    /// <summary>This one.</summary>
    High = 1,

    /// <summary>Not told.</summary>
    Invalid = 2,

    /// <summary>Another one.</summary>
    Low = 3,
}
