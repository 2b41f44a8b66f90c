using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

// Tap devices and network namespaces.
internal static partial class LibC
{
    internal const ulong NS_GET_NSTYPE = 0xb703; // linux/nsfs.h
    internal const ulong TUNSETIFF = 0x400454ca; // linux/if_tun.h, with those that follow
    internal const short IFF_TAP = 0x0002;
    internal const short IFF_MULTI_QUEUE = 0x0100;
    internal const short IFF_NO_PI = 0x1000;
    internal const short IFF_VNET_HDR = 0x4000;
    internal const ushort IFF_TUN_EXCL = 0x8000;
}

/// <summary><c>struct sockaddr_in</c>, netinet/in.h; 16 bytes. Port and address are in the order of the wire.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct SockAddrIn
{
    public ushort sin_family;
    public ushort sin_port;
    public InAddr sin_addr;
}

/// <summary><c>struct in_addr</c>, netinet/in.h; 4 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InAddr
{
    public uint s_addr;
}
