using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Channels;

/// <summary>
/// The kernel's announcements of devices (netlink(7), NETLINK_KOBJECT_UEVENT). Only the fact that something changed is used:
/// the reader looks again at /sys, so a lost or forged message costs one look and no more.
/// </summary>
internal sealed class DeviceEvents : IDisposable
{
    private readonly SafeFileDescriptor _socket;

    private DeviceEvents(SafeFileDescriptor socket) => _socket = socket;

    public static unsafe DeviceEvents Listen()
    {
        SafeFileDescriptor socket = LinuxException.ThrowIfInvalid(
            LibC.socket(LibC.AF_NETLINK, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, LibC.NETLINK_KOBJECT_UEVENT), "socket", "listen for devices");
        var address = new SockAddrNl { nl_family = LibC.AF_NETLINK, nl_groups = 1 };
        // SAFETY: the kernel copies the address, which lives on this frame, before bind returns.
        if (LibC.bind(socket, &address, (uint)sizeof(SockAddrNl)) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("bind", "listen for devices");
            socket.Dispose();
            throw error;
        }

        return new DeviceEvents(socket);
    }

    /// <summary>Blocks the calling thread until the kernel announces something. Errors count as an announcement: ENOBUFS means some were lost.</summary>
    public unsafe void WaitForOne()
    {
        byte* message = stackalloc byte[4096];
        // SAFETY: the kernel writes at most the buffer's size; a longer message is cut, and its text is not used.
        _ = LibC.recv(_socket, message, 4096, 0);
    }

    public void Dispose() => _socket.Dispose();
}
