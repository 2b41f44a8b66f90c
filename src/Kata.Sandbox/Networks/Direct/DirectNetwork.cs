using Kata.Network;

namespace Kata.Sandbox;

/// <summary>A pod's network that a file names, in place of a network namespace (Kata's "directly attachable network").</summary>
/// <param name="Path">The file.</param>
/// <param name="Namespace">Absolute path of the network namespace that has its taps; null for the host's.</param>
/// <param name="Cards">In the file's order.</param>
/// <param name="Network">What a namespace with such interfaces would have.</param>
internal sealed record DirectNetwork(string Path, string? Namespace, IReadOnlyList<DirectCard> Cards, HostNetwork Network);
