using Kata.Network;

namespace Kata.Sandbox;

/// <summary>An interface of the pod's network namespace that the guest has as its own.</summary>
/// <param name="Plan">As it was when the card was made.</param>
/// <param name="Tap">The host's side.</param>
/// <param name="Plug">The card in the machine.</param>
internal sealed record PodInterface(EndpointPlan Plan, TapStep Tap, PlugStep Plug);
