namespace Kata.Netlink;

/// <summary>The tables that every network namespace has (RT_TABLE_, linux/rtnetlink.h).</summary>
public static class RouteTables
{
    /// <summary>The last that is looked at; empty.</summary>
    public const uint Default = 253;

    /// <summary>Where routes go.</summary>
    public const uint Main = 254;

    /// <summary>The kernel's own, of this host's addresses.</summary>
    public const uint Local = 255;
}
