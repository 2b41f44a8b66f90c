namespace Kata.Netlink;

/// <summary>What four bytes of a packet have to be, for <see cref="TrafficFilter.U32"/>.</summary>
/// <param name="Offset">Where they are, in bytes from the beginning of the network header; a multiple of 4.</param>
/// <param name="Value">Them as a number, the first one the most significant.</param>
/// <param name="Mask">Which bits of them count.</param>
public sealed record PacketMatch(int Offset, uint Value, uint Mask);
