namespace Kata.Netlink;

/// <summary>A link was made, changed or removed.</summary>
/// <param name="IsDeleted">Whether it is gone; else it is new or has changed.</param>
/// <param name="Link">As it is now, or was at last.</param>
public sealed record LinkEvent(bool IsDeleted, Link Link) : RouteEvent;
