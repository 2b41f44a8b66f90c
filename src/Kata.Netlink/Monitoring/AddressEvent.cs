namespace Kata.Netlink;

/// <summary>An address of a link was made, changed or removed.</summary>
/// <param name="IsDeleted">Whether it is gone; else it is new or has changed.</param>
/// <param name="Address">As it is now, or was at last.</param>
public sealed record AddressEvent(bool IsDeleted, InterfaceAddress Address) : RouteEvent;
