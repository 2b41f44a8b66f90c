using System.Net;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Checks of addresses against the family and the length that go with them.</summary>
internal static class Prefixes
{
    /// <exception cref="NetlinkProtocolException">Family or length do not fit the address.</exception>
    public static IPPrefix Read(IPAddress address, IfAddrMsg header) => Read(address, header.ifa_family, header.ifa_prefixlen);

    /// <inheritdoc cref="Read(IPAddress,IfAddrMsg)"/>
    public static IPPrefix Read(IPAddress address, byte family, int length)
    {
        if (address.Family() != (IPFamily)family)
        {
            throw new NetlinkProtocolException($"an address of family {(byte)address.Family()} is in a message of family {family}");
        }

        return length <= address.Bits() ? new IPPrefix(address, length)
            : throw new NetlinkProtocolException($"a prefix of {length} bits is longer than its address");
    }

    /// <summary>The address, which may be null.</summary>
    /// <exception cref="ArgumentException">It is of another family than the prefix.</exception>
    public static IPAddress? OfSameFamily(IPAddress? address, IPPrefix prefix, string name) =>
        address is null || address.Family() == prefix.Family ? address
            : throw new ArgumentException($"Cannot use the address '{address}' with '{prefix}': one is IPv4 and the other IPv6", name);
}
