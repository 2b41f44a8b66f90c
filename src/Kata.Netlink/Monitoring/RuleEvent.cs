namespace Kata.Netlink;

/// <summary>A rule was made, changed or removed.</summary>
/// <param name="IsDeleted">Whether it is gone; else it is new or has changed.</param>
/// <param name="Rule">As it is now, or was at last.</param>
public sealed record RuleEvent(bool IsDeleted, RoutingRule Rule) : RouteEvent;
