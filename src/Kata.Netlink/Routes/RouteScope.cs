namespace Kata.Netlink;

/// <summary>How far a destination or an address is away (RT_SCOPE_, linux/rtnetlink.h); other numbers are possible.</summary>
public enum RouteScope : byte
{
    /// <summary>Anywhere.</summary>
    Universe = 0,

    /// <summary>Inside this site.</summary>
    Site = 200,

    /// <summary>On the link.</summary>
    Link = 253,

    /// <summary>On this host.</summary>
    Host = 254,

    /// <summary>Nowhere; to delete a route: any.</summary>
    Nowhere = 255,
}
