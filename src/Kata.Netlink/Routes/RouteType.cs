namespace Kata.Netlink;

/// <summary>What happens to packets (RTN_, linux/rtnetlink.h).</summary>
public enum RouteType : byte
{
    /// <summary>Not told; to delete a route: any.</summary>
    Unspecified = 0,

    /// <summary>They go to the next hop.</summary>
    Unicast = 1,

    /// <summary>They are for this host.</summary>
    Local = 2,

    /// <summary>They are for everybody on the link, and received as such.</summary>
    Broadcast = 3,

    /// <summary>They are for everybody on the link, and received as for this host.</summary>
    Anycast = 4,

    /// <summary>They go to a multicast group.</summary>
    Multicast = 5,

    /// <summary>They are dropped.</summary>
    Blackhole = 6,

    /// <summary>They are dropped, and the sender is told that there is no way.</summary>
    Unreachable = 7,

    /// <summary>They are dropped, and the sender is told that it is forbidden.</summary>
    Prohibit = 8,

    /// <summary>The next rule decides.</summary>
    Throw = 9,
}
