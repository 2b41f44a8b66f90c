using System.Net;
using System.Net.Sockets;

namespace Kata.Netlink;

/// <summary>The kernel's family of an address.</summary>
internal static class IPAddressFamily
{
    public static bool IsIPv6(this IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6;

    public static IPFamily Family(this IPAddress address) => address.IsIPv6() ? IPFamily.IPv6 : IPFamily.IPv4;

    /// <summary>How long a prefix of it may be, in bits.</summary>
    public static int Bits(this IPAddress address) => address.IsIPv6() ? 128 : 32;

    /// <summary>Whether a message's family is one that the library knows.</summary>
    public static bool IsKnown(byte family) => (IPFamily)family is IPFamily.IPv4 or IPFamily.IPv6;

    /// <summary>The address of all zeros.</summary>
    public static IPAddress Unspecified(IPFamily family) => family == IPFamily.IPv6 ? IPAddress.IPv6Any : IPAddress.Any;
}
