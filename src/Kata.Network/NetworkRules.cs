using System.Net;
using System.Text;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>What the kernel takes for an Ethernet interface. Pure.</summary>
internal static class NetworkRules
{
    /// <summary>IFNAMSIZ without its NUL.</summary>
    public const int MaxNameBytes = 15;

    /// <summary>The smallest that IPv4 works with, in bytes.</summary>
    public const uint MinMtu = 68;

    private const int EthernetAddressBytes = 6;

    /// <summary>Whether an interface may be called so.</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= MaxNameBytes && name is not ("." or "..")
        && !name.Any(static c => c is '/' or ':' or '%' || char.IsWhiteSpace(c) || char.IsControl(c));

    /// <summary>Whether it is the address of an Ethernet card.</summary>
    public static bool IsEthernet(LinkAddress address) => address.Length == EthernetAddressBytes;

    /// <summary>Whether it is the address of one card, and neither of several nor of none.</summary>
    public static bool IsOfOneCard(LinkAddress address) => (address.Bytes[0] & 1) == 0 && address.Bytes.ContainsAnyExcept((byte)0);

    /// <summary>Whether an interface can have the address.</summary>
    public static bool IsOfInterface(IPPrefix prefix) =>
        prefix.Length > 0 && !prefix.Address.Equals(IPAddress.Any) && !prefix.Address.Equals(IPAddress.IPv6Any)
        && !prefix.Address.IsIPv6Multicast;

    /// <summary>Whether all bits of a host are zero.</summary>
    public static bool IsNetwork(IPPrefix prefix)
    {
        byte[] bytes = prefix.Address.GetAddressBytes();
        return Enumerable.Range(prefix.Length, (bytes.Length * 8) - prefix.Length)
            .All(bit => (bytes[bit / 8] & (0x80 >> (bit % 8))) == 0);
    }
}
