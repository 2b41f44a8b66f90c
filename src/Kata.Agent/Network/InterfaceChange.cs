using Kata.Agent.Protocol;
using Kata.Netlink;

namespace Kata.Agent.Network;

/// <summary>Brings an interface to what the host wants of it, with as few changes as that takes: it may carry traffic just now.</summary>
internal static class InterfaceChange
{
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: a value makes no sense. Nothing is changed.</exception>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static void Apply(NetlinkSocket netlink, Link link, Interface wanted)
    {
        IPPrefix[] prefixes = [.. wanted.IPAddresses.Select(InterfaceMessages.Parse)];
        if (wanted.Mtu > uint.MaxValue)
        {
            throw AgentException.Invalid($"'{wanted.Mtu}' bytes are no size of a packet");
        }

        Shape(netlink, link, wanted.Name, (uint)wanted.Mtu, (LinkFlags)wanted.RawFlags, LinkFlags.NoArp);
        Readdress(netlink, link.Index, prefixes);
    }

    /// <summary>Gives a link its name and size, and switches it on.</summary>
    /// <param name="netlink">The guest's network.</param>
    /// <param name="link">As it is.</param>
    /// <param name="name">Empty to leave it.</param>
    /// <param name="mtu">In bytes; 0 to leave it.</param>
    /// <param name="flags">Those that are to be set.</param>
    /// <param name="mask">Which flags count: others stay.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static void Shape(NetlinkSocket netlink, Link link, string name, uint mtu, LinkFlags flags, LinkFlags mask)
    {
        if (name.Length > 0 && name != link.Name)
        {
            Rename(netlink, link, name);
        }

        if (mtu > 0 && mtu != link.Mtu)
        {
            netlink.Links.Change(link.Index, new LinkSettings { Mtu = mtu });
        }

        netlink.Links.Change(link.Index, new LinkSettings { SetFlags = LinkFlags.Up | (flags & mask), ClearFlags = ~flags & mask });
    }

    // The kernel renames what is down only; and gives a name once, so that whoever has it by chance gets another first.
    private static void Rename(NetlinkSocket netlink, Link link, string name)
    {
        if (netlink.Links.Find(name) is { } other)
        {
            Rename(netlink, other, FreeName(netlink, other.Index));
        }

        bool up = link.Flags.HasFlag(LinkFlags.Up);
        if (up)
        {
            netlink.Links.SetDown(link.Index);
        }

        try
        {
            netlink.Links.Change(link.Index, new LinkSettings { Name = name });
        }
        finally
        {
            if (up)
            {
                netlink.Links.SetUp(link.Index);
            }
        }
    }

    // There may be one that was renamed so before, or that somebody has called so.
    private static string FreeName(NetlinkSocket netlink, int number)
    {
        string name;
        do
        {
            name = FormattableString.Invariant($"kata{number++}");
        }
        while (netlink.Links.Find(name) is not null);

        return name;
    }

    // The host has made sure that nobody else has an address.
    private static void Readdress(NetlinkSocket netlink, int link, IPPrefix[] wanted)
    {
        // The kernel takes others of the same prefix away with the first of them: that one goes last, and then it is seen who is left.
        foreach (InterfaceAddress address in netlink.Addresses.List(linkIndex: link).Reverse()
            .Where(item => !wanted.Contains(item.Local) && !IsKernels(item)))
        {
            netlink.Addresses.Delete(address);
        }

        IReadOnlyList<InterfaceAddress> present = netlink.Addresses.List(linkIndex: link);
        foreach (IPPrefix prefix in wanted.Where(prefix => !present.Any(item => item.Local == prefix)))
        {
            netlink.Addresses.Replace(new InterfaceAddress
            {
                LinkIndex = link,
                Local = prefix,
                Broadcast = Broadcast(prefix),
                Flags = prefix.Family == Netlink.IPFamily.IPv6 ? AddressFlags.NoDad : AddressFlags.None,
            });
        }
    }

    // It makes link-local ones, and those of prefixes that routers announce, which last for some time; the host's last for ever.
    private static bool IsKernels(InterfaceAddress address) => address.Local.Family == Netlink.IPFamily.IPv6
        && (address.Local.Address.IsIPv6LinkLocal || address.ValidLifetime is not null);

    // As ip(8) and every network plugin do: a prefix that has room for one.
    private static System.Net.IPAddress? Broadcast(IPPrefix prefix)
    {
        if (prefix.Family != Netlink.IPFamily.IPv4 || prefix.Length > 30)
        {
            return null;
        }

        byte[] bytes = prefix.Address.GetAddressBytes();
        for (int bit = prefix.Length; bit < 32; bit++)
        {
            bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return new System.Net.IPAddress(bytes);
    }
}
