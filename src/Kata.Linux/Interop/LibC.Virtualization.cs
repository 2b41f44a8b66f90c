namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const ulong KVM_GET_API_VERSION = 0xAE00; // linux/kvm.h
    internal const ulong KVM_CREATE_VM = 0xAE01;
    internal const ulong VHOST_VSOCK_SET_GUEST_CID = 0x4008AF60; // _IOW(0xAF, 0x60, __u64), linux/vhost.h
}
