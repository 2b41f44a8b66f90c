namespace Kata.Netlink;

/// <summary>Whether a link works (RFC 2863, linux/if.h).</summary>
public enum LinkOperState : byte
{
    /// <summary>The driver does not say.</summary>
    Unknown = 0,

    /// <summary>Parts of it are missing.</summary>
    NotPresent = 1,

    /// <summary>It does not work.</summary>
    Down = 2,

    /// <summary>The link below it does not work.</summary>
    LowerLayerDown = 3,

    /// <summary>It is being tested.</summary>
    Testing = 4,

    /// <summary>It waits for something.</summary>
    Dormant = 5,

    /// <summary>It works.</summary>
    Up = 6,
}
