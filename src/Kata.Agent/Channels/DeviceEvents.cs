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

    /// <summary>
    /// Blocks the calling thread until the kernel announces something of <paramref name="subsystem"/>. Loading modules announces dozens
    /// of other things, and a look at /sys for each would cost more than the loading. An error counts: ENOBUFS means that some were lost.
    /// </summary>
    public unsafe void WaitForOne(ReadOnlySpan<byte> subsystem)
    {
        const int Size = 4096;
        byte* message = stackalloc byte[Size];
        while (true)
        {
            // SAFETY: the kernel writes at most the buffer's size; a longer message is cut.
            nint length = LibC.recv(_socket, message, Size, 0);
            if (length < 0 || Names(new ReadOnlySpan<byte>(message, (int)length), subsystem))
            {
                return;
            }
        }
    }

    /// <summary>A uevent is a heading and then KEY=VALUE items, each ended by a NUL.</summary>
    internal static bool Names(ReadOnlySpan<byte> message, ReadOnlySpan<byte> subsystem)
    {
        ReadOnlySpan<byte> key = "SUBSYSTEM="u8;
        foreach (Range range in message.Split((byte)0))
        {
            ReadOnlySpan<byte> item = message[range];
            if (item.StartsWith(key) && item[key.Length..].SequenceEqual(subsystem))
            {
                return true;
            }
        }

        return false;
    }

    public void Dispose() => _socket.Dispose();
}
