namespace Kata.Netlink;

/// <summary>What a rule does with the packets that it matches (FR_ACT_, linux/fib_rules.h).</summary>
public enum RuleAction : byte
{
    /// <summary>Not told; to delete a rule: any.</summary>
    Unspecified = 0,

    /// <summary>They are looked up in a table.</summary>
    ToTable = 1,

    /// <summary>Another rule goes on.</summary>
    Goto = 2,

    /// <summary>Nothing.</summary>
    None = 3,

    /// <summary>They are dropped.</summary>
    Blackhole = 6,

    /// <summary>They are dropped, and the sender is told that there is no way.</summary>
    Unreachable = 7,

    /// <summary>They are dropped, and the sender is told that it is forbidden.</summary>
    Prohibit = 8,
}
