namespace Kata.Netlink;

/// <summary>
/// A rule that says which table a packet is looked up in: as it is to be, or as it is read. What is null matches everything.
/// </summary>
public sealed partial record RoutingRule
{
    /// <summary>The family has to be given.</summary>
    public RoutingRule()
    {
    }

    /// <summary>Of which packets.</summary>
    public required IPFamily Family { get; init; }

    /// <summary>The order of rules, the lowest first. Null is one before the first but for 0, and to delete a rule any.</summary>
    public uint? Priority { get; init; }

    /// <summary>From where.</summary>
    public IPPrefix? Source { get; init; }

    /// <summary>Where to.</summary>
    public IPPrefix? Destination { get; init; }

    /// <summary>The name of the link that they come in by; <c>lo</c> for those of this host.</summary>
    public string? InputLink { get; init; }

    /// <summary>The name of the link that a socket is bound to.</summary>
    public string? OutputLink { get; init; }

    /// <summary>Their mark.</summary>
    public uint? Mark { get; init; }

    /// <summary>Which bits of the mark count; null for all.</summary>
    public uint? MarkMask { get; init; }

    /// <summary>IPv4: their type of service.</summary>
    public byte TypeOfService { get; init; }

    /// <summary>The number of their protocol: 6 is TCP, 17 UDP.</summary>
    public byte? IPProtocol { get; init; }

    /// <summary>The ports they come from.</summary>
    public PortRange? SourcePorts { get; init; }

    /// <summary>The ports they go to.</summary>
    public PortRange? DestinationPorts { get; init; }

    /// <summary>Whose socket sends them.</summary>
    public UserRange? Users { get; init; }

    /// <summary>Whether it is for the packets that do not match.</summary>
    public bool IsInverted { get; init; }

    /// <summary>What it does.</summary>
    public RuleAction Action { get; init; } = RuleAction.ToTable;

    /// <summary>The table of <see cref="RuleAction.ToTable"/>; see <see cref="RouteTables"/>.</summary>
    public uint Table { get; init; }

    /// <summary>The table is that of the VRF that the packet belongs to.</summary>
    public bool UsesVrfTable { get; init; }

    /// <summary>The priority of the rule that <see cref="RuleAction.Goto"/> goes on with.</summary>
    public uint? Target { get; init; }

    /// <summary>Routes of the table with prefixes of this length or less do not count: 0 keeps the default route out.</summary>
    public uint? SuppressedPrefixLength { get; init; }

    /// <summary>Who made it.</summary>
    public RouteProtocol? Protocol { get; init; }
}
