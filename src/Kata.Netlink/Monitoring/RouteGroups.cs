namespace Kata.Netlink;

/// <summary>What a <see cref="RouteMonitor"/> is told of.</summary>
[Flags]
public enum RouteGroups
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Links.</summary>
    Links = 1 << 0,

    /// <summary>Neighbours of both families.</summary>
    Neighbours = 1 << 1,

    /// <summary>IPv4 addresses.</summary>
    IPv4Addresses = 1 << 2,

    /// <summary>IPv6 addresses.</summary>
    IPv6Addresses = 1 << 3,

    /// <summary>IPv4 routes.</summary>
    IPv4Routes = 1 << 4,

    /// <summary>IPv6 routes.</summary>
    IPv6Routes = 1 << 5,

    /// <summary>IPv4 rules.</summary>
    IPv4Rules = 1 << 6,

    /// <summary>IPv6 rules.</summary>
    IPv6Rules = 1 << 7,

    /// <summary>Addresses of both families.</summary>
    Addresses = IPv4Addresses | IPv6Addresses,

    /// <summary>Routes of both families.</summary>
    Routes = IPv4Routes | IPv6Routes,

    /// <summary>Rules of both families.</summary>
    Rules = IPv4Rules | IPv6Rules,

    /// <summary>Everything.</summary>
    All = Links | Neighbours | Addresses | Routes | Rules,
}
