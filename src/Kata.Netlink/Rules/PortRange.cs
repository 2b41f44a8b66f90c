namespace Kata.Netlink;

/// <summary>Ports of TCP, UDP and the like, both ends included.</summary>
/// <param name="First">The lowest.</param>
/// <param name="Last">The highest.</param>
public readonly record struct PortRange(ushort First, ushort Last);
