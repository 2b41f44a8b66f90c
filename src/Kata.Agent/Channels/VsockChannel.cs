using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Channels;

/// <summary>The agent dials the host (vsock(7)), so that its arrival is an event there and nobody retries.</summary>
internal static class VsockChannel
{
    private const uint HostCid = 2; // VMADDR_CID_HOST, linux/vm_sockets.h

    public static unsafe Stream Connect(uint port)
    {
        SafeFileDescriptor socket = LinuxException.ThrowIfInvalid(
            LibC.socket(LibC.AF_VSOCK, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC, 0), "socket", "open a vsock socket");
        try
        {
            var address = new SockAddrVm { svm_family = LibC.AF_VSOCK, svm_cid = HostCid, svm_port = port };
            // SAFETY: the kernel copies the address, which lives on this frame. The connect blocks for at most the kernel's 2 s.
            LinuxException.ThrowIfNegative(
                LibC.connect(socket, &address, (uint)sizeof(SockAddrVm)), "connect", $"dial the host at vsock port {port}");
            return new DescriptorStream(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
