namespace Kata.Netlink;

/// <summary>What is known of a neighbour (NUD_, linux/neighbour.h).</summary>
[Flags]
public enum NeighbourState : ushort
{
    /// <summary>Nothing yet.</summary>
    None = 0,

    /// <summary>It is being asked for.</summary>
    Incomplete = 0x1,

    /// <summary>It has answered lately.</summary>
    Reachable = 0x2,

    /// <summary>It has not been heard of for a while.</summary>
    Stale = 0x4,

    /// <summary>It will be asked soon.</summary>
    Delay = 0x8,

    /// <summary>It is being asked.</summary>
    Probe = 0x10,

    /// <summary>It does not answer.</summary>
    Failed = 0x20,

    /// <summary>It needs no asking.</summary>
    NoArp = 0x40,

    /// <summary>Set by hand, for ever.</summary>
    Permanent = 0x80,
}
