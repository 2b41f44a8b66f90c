using Kata.Network;

namespace Kata.Sandbox;

/// <summary>A card of a directly attachable network.</summary>
/// <param name="Plan">What it is in the guest; its number is that in <see cref="DirectNetwork.Network"/>.</param>
/// <param name="Backend">What the host has for it.</param>
internal sealed record DirectCard(EndpointPlan Plan, DirectBackend Backend);
