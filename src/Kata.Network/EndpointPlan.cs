using Kata.Linux;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>An interface of the pod's network namespace that its guest is to have as its own.</summary>
/// <param name="LinkIndex">The link's number in the namespace.</param>
/// <param name="Name">The link's name, which is also the guest's.</param>
/// <param name="Address">The link's hardware address, which is also the guest's.</param>
/// <param name="Mtu">The largest packet, in bytes.</param>
internal sealed record EndpointPlan(int LinkIndex, string Name, LinkAddress Address, uint Mtu)
{
    /// <summary>The card of the host that the guest is to have itself; null where its card is a virtual one.</summary>
    public PciAddress? Device { get; init; }

    /// <summary>Whether the guest's card for one serves for the other: names and sizes change, addresses and links do not.</summary>
    public bool IsSameCard(EndpointPlan other) => LinkIndex == other.LinkIndex && Address == other.Address;
}
