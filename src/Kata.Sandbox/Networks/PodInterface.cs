using Kata.Network;

namespace Kata.Sandbox;

/// <summary>An interface of the pod's network namespace that the guest has as its own.</summary>
/// <param name="Plan">As it was when the card was made.</param>
/// <param name="Host">The host's side.</param>
/// <param name="Plug">The card in the machine.</param>
internal sealed record PodInterface(EndpointPlan Plan, DeviceStep Host, PlugStep Plug)
{
    /// <summary>The number of the tap that carries its frames in the namespace; null where there is none.</summary>
    public int? TapIndex => (Host as TapStep)?.TapIndex;

    /// <summary>
    /// Of a card of the host, whose interface is not in the namespace for as long as the guest has it: what was there of it, under the
    /// number of <see cref="Plan"/>, which no link has. Null of others.
    /// </summary>
    public HostNetwork? Gone { get; init; }

    /// <summary>The number that its link has in the namespace, or had before it went.</summary>
    public int LinkIndex { get; init; } = Plan.LinkIndex;
}
