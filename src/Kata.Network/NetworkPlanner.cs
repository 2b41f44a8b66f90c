using Kata.Linux;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>Decides which interfaces of a network namespace its guest gets. Pure.</summary>
internal static class NetworkPlanner
{
    private const ushort Ethernet = 1; // ARPHRD_ETHER, linux/if_arp.h
    private const int EthernetAddressBytes = 6;

    /// <summary>In the order of their numbers.</summary>
    /// <param name="network">What the namespace has.</param>
    /// <param name="refused">What somebody set up there and the guest cannot have, a sentence each.</param>
    /// <param name="model">How they are to be connected.</param>
    /// <param name="devices">By the link's number: the cards of the host that the guest is to have themselves.</param>
    public static IReadOnlyList<EndpointPlan> Plan(
        HostNetwork network, out IReadOnlyList<string> refused, EndpointModel model = EndpointModel.TcFilter,
        IReadOnlyDictionary<int, PciAddress>? devices = null)
    {
        var plans = new List<EndpointPlan>();
        var refusals = new List<string>();
        foreach (Link link in network.Links.Where(link => IsMeantForPod(link, network)))
        {
            if (model == EndpointModel.Macvtap && !link.Flags.HasFlag(LinkFlags.Up))
            {
                continue; // nothing over it can be up before
            }

            if (devices?.GetValueOrDefault(link.Index) is { } device)
            {
                plans.Add(new EndpointPlan(link.Index, link.Name, link.Address, link.Mtu) { Device = device });
            }
            else if ((Refusal(link, model) ?? StackedRefusal(link, network)) is { } reason)
            {
                refusals.Add(Refuse(link.Name, reason));
            }
            else
            {
                plans.Add(new EndpointPlan(link.Index, link.Name, link.Address, Math.Min(link.Mtu, Tap.MaxMtu)));
                if (link.Mtu > Tap.MaxMtu)
                {
                    refusals.Add(FormattableString.Invariant(
                        $"The interface '{link.Name}' has an MTU of {Tap.MaxMtu} in the guest, not of {link.Mtu}: no tap takes more"));
                }
            }
        }

        refused = refusals;
        return plans;
    }

    /// <summary>The sentence that says why an interface is not in the guest.</summary>
    public static string Refuse(string name, string reason) => $"The interface '{name}' is not in the guest: {reason}";

    /// <summary>The reason in the sentence about an interface, with what to do; null when none is about it.</summary>
    /// <param name="name">The interface's name.</param>
    /// <param name="refused">The sentences.</param>
    public static string? RefusalOf(string name, IEnumerable<string> refused)
    {
        string start = Refuse(name, "");
        return refused.FirstOrDefault(text => text.StartsWith(start, StringComparison.Ordinal))?[start.Length..];
    }

    // Ports belong to their bridge or bond, which is carried itself; and kernels make tunnels of their own, which nobody has set up.
    private static bool IsMeantForPod(Link link, HostNetwork network) =>
        !link.Flags.HasFlag(LinkFlags.Loopback)
        && !link.Flags.HasFlag(LinkFlags.Port)
        && link is not { PortKind: "bridge" or "bond" or "team" }
        && !link.Name.EndsWith(Tap.NameSuffix, StringComparison.Ordinal)
        && (HasAddress(link, network) || (link.Flags.HasFlag(LinkFlags.Up) && !network.Links.Any(upper => LiesOn(upper, link))));

    private static bool HasAddress(Link link, HostNetwork network) => network.Addresses.Any(
        address => address.LinkIndex == link.Index && address is not { Local.Address.IsIPv6LinkLocal: true });

    // All frames of a card's link are the guest's: what lies on it in the same namespace gets none.
    private static string? StackedRefusal(Link link, HostNetwork network) =>
        network.Links.FirstOrDefault(lower => LiesOn(link, lower) && IsMeantForPod(lower, network)) is { } parent
            ? $"it lies on '{parent.Name}', whose frames are all the guest's. Make it inside of the container"
            : null;

    private static bool LiesOn(Link upper, Link lower) =>
        !upper.Name.EndsWith(Tap.NameSuffix, StringComparison.Ordinal)
        && upper is { ParentNamespaceId: null, Kind: VlanKind or MacvlanKind or IpvlanKind } && upper.Parent == lower.Index;

    private static string? Refusal(Link link, EndpointModel model) => link switch
    {
        { HardwareType: not Ethernet } or { Address.Length: not EthernetAddressBytes } =>
            $"it is a {KindOf(link)} without Ethernet frames, and a guest's card carries nothing else. "
                + "Make it inside of the container, or use an interface with them, as a veth, macvlan, VLAN, bridge or a card of the host",
        { Kind: MacvlanKind { IsTap: true } } => "a macvtap gives its frames to whoever opens it. Use a macvlan",
        { Kind: MacvlanKind } when model == EndpointModel.Macvtap => // the kernel would take what the macvlan lies on
            "no macvtap can be over a macvlan. Use the model 'tcfilter'",
        _ => null,
    };

    private static string KindOf(Link link) => link.Kind?.Name ?? "device";
}
