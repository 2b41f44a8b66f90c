namespace Kata.Netlink;

/// <summary>A route was made, changed or removed.</summary>
/// <param name="IsDeleted">Whether it is gone; else it is new or has changed.</param>
/// <param name="Route">As it is now, or was at last.</param>
public sealed record RouteChangeEvent(bool IsDeleted, Route Route) : RouteEvent;
