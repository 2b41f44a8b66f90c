namespace Kata.Netlink;

/// <summary>Who of the links on one parent hears whom (linux/if_link.h).</summary>
public enum MacvlanMode
{
    /// <summary>They do not hear each other.</summary>
    Private = 1,

    /// <summary>They hear each other by way of the switch outside.</summary>
    Vepa = 2,

    /// <summary>They hear each other.</summary>
    Bridge = 4,

    /// <summary>One link has the parent for itself.</summary>
    Passthru = 8,

    /// <summary>They hear listed addresses only.</summary>
    Source = 16,
}
