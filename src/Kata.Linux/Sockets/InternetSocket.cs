using System.Buffers.Binary;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// IPv4 sockets in the calling thread's network namespace, non-blocking: the few that a relay needs, without the runtime's own, which
/// takes threads and megabytes.
/// </summary>
internal static class InternetSocket
{
    /// <summary>Binds a socket.</summary>
    /// <param name="address">The four numbers.</param>
    /// <param name="port">The port.</param>
    /// <param name="listens">True for TCP, which then listens; false for UDP.</param>
    /// <exception cref="LinuxException">EADDRINUSE: somebody has the port.</exception>
    public static SafeFileDescriptor Bind(ReadOnlySpan<byte> address, ushort port, bool listens)
    {
        SafeFileDescriptor socket = Open(listens ? LibC.SOCK_STREAM : LibC.SOCK_DGRAM);
        try
        {
            SockAddrIn name = NameOf(address, port);
            Bind(socket, name, port);
            if (listens)
            {
                LinuxException.ThrowIfNegative(LibC.listen(socket, 16), "listen", $"listen on port {port}");
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects a socket. One of TCP is connected when it is writable and has no error.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static unsafe SafeFileDescriptor Connect(ReadOnlySpan<byte> address, ushort port, bool stream)
    {
        SafeFileDescriptor socket = Open(stream ? LibC.SOCK_STREAM : LibC.SOCK_DGRAM);
        SockAddrIn name = NameOf(address, port);
        // SAFETY: the kernel copies the address, which lives on this frame.
        if (LibC.connect(socket, &name, (uint)sizeof(SockAddrIn)) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("connect", $"connect to port {port}");
            if (error.Errno is not Errno.EINPROGRESS)
            {
                socket.Dispose();
                throw error;
            }
        }

        return socket;
    }

    /// <summary>Takes the next connection of a listening socket; invalid when there is none.</summary>
    public static unsafe SafeFileDescriptor Accept(SafeFileDescriptor socket) =>
        LibC.accept4(socket, null, null, LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK); // SAFETY: null means that the peer is not wanted

    /// <summary>Takes one datagram. What is beyond the buffer is lost.</summary>
    /// <param name="socket">Of UDP.</param>
    /// <param name="buffer">Where it is written.</param>
    /// <param name="sender">Who sent it.</param>
    /// <returns>Its length; -1 when there is none, or the socket has an error to tell, which is taken.</returns>
    public static unsafe int Receive(SafeFileDescriptor socket, Span<byte> buffer, out SockAddrIn sender)
    {
        SockAddrIn name = default;
        nint count;
        // SAFETY: buffer and name are pinned or on this frame for the call, and their lengths are given.
        fixed (byte* first = buffer)
        {
            var part = new IoVec { iov_base = first, iov_len = (nuint)buffer.Length };
            var message = new MsgHdr { msg_name = &name, msg_namelen = (uint)sizeof(SockAddrIn), msg_iov = &part, msg_iovlen = 1 };
            count = LibC.recvmsg(socket, &message, LibC.MSG_DONTWAIT);
        }

        sender = name;
        return (int)count;
    }

    /// <summary>Sends one datagram, for null to whoever the socket is connected with. One that does not go is lost, as on a wire.</summary>
    public static unsafe void Send(SafeFileDescriptor socket, ReadOnlySpan<byte> datagram, SockAddrIn? receiver = null)
    {
        SockAddrIn name = receiver ?? default;
        // SAFETY: the datagram is pinned and the name lives on this frame for the call, and their lengths are given.
        fixed (byte* first = datagram)
        {
            _ = LibC.sendto(
                socket, first, (nuint)datagram.Length, LibC.MSG_DONTWAIT | LibC.MSG_NOSIGNAL,
                receiver is null ? null : &name, receiver is null ? 0 : (uint)sizeof(SockAddrIn));
        }
    }

    private static SafeFileDescriptor Open(int type) => LinuxException.ThrowIfInvalid(
        LibC.socket(LibC.AF_INET, type | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "socket", "open an internet socket");

    private static unsafe void Bind(SafeFileDescriptor socket, SockAddrIn name, ushort port) => LinuxException.ThrowIfNegative(
        LibC.bind(socket, &name, (uint)sizeof(SockAddrIn)), "bind", $"bind port {port}"); // SAFETY: the kernel copies the address

    private static SockAddrIn NameOf(ReadOnlySpan<byte> address, ushort port) => new()
    {
        sin_family = LibC.AF_INET,
        sin_port = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(port) : port,
        sin_addr = new InAddr { s_addr = BitConverter.ToUInt32(address) }, // in the order of the wire
    };
}
