namespace Kata.Netlink;

/// <summary>Who made a route or a rule (RTPROT_, linux/rtnetlink.h); other numbers are possible.</summary>
public enum RouteProtocol : byte
{
    /// <summary>Not told; to delete a route: anybody.</summary>
    Unspecified = 0,

    /// <summary>An ICMP redirect.</summary>
    Redirect = 1,

    /// <summary>The kernel.</summary>
    Kernel = 2,

    /// <summary>Somebody at boot.</summary>
    Boot = 3,

    /// <summary>The administrator.</summary>
    Static = 4,

    /// <summary>A router's advertisement.</summary>
    RouterAdvertisement = 9,

    /// <summary>A DHCP client.</summary>
    Dhcp = 16,
}
