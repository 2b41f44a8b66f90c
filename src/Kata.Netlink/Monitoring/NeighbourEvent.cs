namespace Kata.Netlink;

/// <summary>A neighbour was made, changed or removed.</summary>
/// <param name="IsDeleted">Whether it is gone; else it is new or has changed.</param>
/// <param name="Neighbour">As it is now, or was at last.</param>
public sealed record NeighbourEvent(bool IsDeleted, Neighbour Neighbour) : RouteEvent;
