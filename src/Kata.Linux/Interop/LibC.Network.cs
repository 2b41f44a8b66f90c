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
