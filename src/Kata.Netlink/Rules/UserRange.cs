namespace Kata.Netlink;

/// <summary>User ids, both ends included.</summary>
/// <param name="First">The lowest.</param>
/// <param name="Last">The highest.</param>
public readonly record struct UserRange(uint First, uint Last);
