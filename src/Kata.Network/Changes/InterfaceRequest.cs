using Kata.Netlink;

namespace Kata.Network;

/// <summary>What somebody asks of an interface. What is null or empty stays as it is.</summary>
internal sealed record InterfaceRequest
{
    /// <summary>The name of the link that is meant; empty for <see cref="Name"/>'s.</summary>
    public string Device { get; init; } = "";

    /// <summary>What the link is called from now on.</summary>
    public string Name { get; init; } = "";

    /// <summary>All addresses that it is to have.</summary>
    public IReadOnlyList<IPPrefix>? Addresses { get; init; }

    /// <summary>Addresses that it is to have too.</summary>
    public IReadOnlyList<IPPrefix> Added { get; init; } = [];

    /// <summary>Addresses that it is not to have any more.</summary>
    public IReadOnlyList<IPPrefix> Removed { get; init; } = [];

    /// <summary>The largest packet, in bytes; 0 for what it is.</summary>
    public uint Mtu { get; init; }

    /// <summary>
    /// The hardware address that it is to have. Without <see cref="Device"/> and <see cref="Name"/> it is the link that has this one.
    /// </summary>
    public LinkAddress? Address { get; init; }

    /// <summary>Whether it does without ARP.</summary>
    public bool? NoArp { get; init; }

    /// <summary>What is asked for, for people.</summary>
    public string Subject => Device.Length > 0 ? Device : Name.Length > 0 ? Name : Address?.ToString() ?? "";

    /// <summary>The link that is meant; null when it is not among these.</summary>
    public Link? Find(IEnumerable<Link> links) => Device.Length + Name.Length > 0
        ? links.FirstOrDefault(link => link.Name == Subject)
        : links.FirstOrDefault(link => link.Address == Address && !link.Flags.HasFlag(LinkFlags.Loopback));

    /// <summary>What a link is to become.</summary>
    /// <param name="now">What it is.</param>
    public LinkState Change(LinkState now)
    {
        IEnumerable<InterfaceAddress> kept = Addresses is null ? now.Addresses
            : now.Addresses.Where(address => Addresses.Contains(address.Local));
        IEnumerable<IPPrefix> wanted = (Addresses ?? []).Concat(Added).Distinct();
        InterfaceAddress[] present = [.. kept];
        return now with
        {
            Name = Name.Length > 0 ? Name : now.Name,
            Address = Address ?? now.Address,
            Mtu = Mtu > 0 ? Mtu : now.Mtu,
            NoArp = NoArp ?? now.NoArp,
            IsUp = true,
            Addresses =
            [
                .. present.Concat(wanted.Where(prefix => !present.Any(item => item.Local == prefix)).Select(New))
                    .Where(address => !Removed.Contains(address.Local)),
            ],
        };
    }

    // Nobody is asked whether he has it, too: the answer would come to the guest.
    private static InterfaceAddress New(IPPrefix prefix) => new()
    {
        LinkIndex = 0,
        Local = prefix,
        Flags = prefix.Family == IPFamily.IPv6 ? AddressFlags.NoDad : AddressFlags.None,
    };
}
