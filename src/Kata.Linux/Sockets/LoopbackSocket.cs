using System.Buffers.Binary;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>TCP sockets of 127.0.0.1 and ::1 in the calling thread's network namespace, non-blocking.</summary>
internal static class LoopbackSocket
{
    private const int Backlog = 128;
    private const int NameLength4 = 16; // struct sockaddr_in, netinet/in.h
    private const int NameLength6 = 28; // struct sockaddr_in6

    /// <summary>Listens at a port that the kernel chooses, also while the loopback interface is off.</summary>
    /// <exception cref="LinuxException">The kernel refused: it may know no IPv6.</exception>
    public static unsafe SafeFileDescriptor Listen(bool isVersion6)
    {
        SafeFileDescriptor socket = Open(isVersion6);
        try
        {
            int on = 1;
            // SAFETY: the kernel copies the four bytes, which live on this frame.
            LinuxException.ThrowIfNegative(
                LoopbackCalls.setsockopt(
                    socket, isVersion6 ? LoopbackCalls.IPPROTO_IPV6 : LoopbackCalls.IPPROTO_IP,
                    isVersion6 ? LoopbackCalls.IPV6_FREEBIND : LoopbackCalls.IP_FREEBIND, &on, sizeof(int)),
                "setsockopt(FREEBIND)", "open a socket of the loopback interface");
            byte* name = stackalloc byte[NameLength6];
            uint length = Name(new Span<byte>(name, NameLength6), port: 0, isVersion6);
            // SAFETY: the kernel copies the address, which lives on this frame.
            LinuxException.ThrowIfNegative(LibC.bind(socket, name, length), "bind", "bind a socket of the loopback interface");
            LinuxException.ThrowIfNegative(LibC.listen(socket, Backlog), "listen", "listen on the loopback interface");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The port that the peer of a connection wanted, or at which a socket listens.</summary>
    public static unsafe ushort PortOf(SafeFileDescriptor socket)
    {
        byte* name = stackalloc byte[NameLength6];
        uint length = NameLength6;
        // SAFETY: the kernel writes at most length bytes into the name, which lives on this frame.
        LinuxException.ThrowIfNegative(LibC.getsockname(socket, name, &length), "getsockname", "ask for the port of a connection");
        return BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(name + 2, 2));
    }

    /// <summary>Connects.</summary>
    /// <exception cref="LinuxException">ECONNREFUSED: nothing listens.</exception>
    public static async Task<DescriptorStream> ConnectAsync(ushort port, bool isVersion6, CancellationToken cancellationToken)
    {
        string action = $"connect to port {port} of the loopback interface";
        var stream = new DescriptorStream(Open(isVersion6));
        try
        {
            if (!TryConnect(stream.Descriptor, port, isVersion6, action))
            {
                await stream.WaitWritableAsync(cancellationToken);
                if (ErrorOf(stream.Descriptor) is not 0 and var error)
                {
                    throw new LinuxException("connect", action, error);
                }
            }

            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Says to the peer that nothing more will be sent.</summary>
    public static void EndWriting(SafeFileDescriptor socket) => _ = LibC.shutdown(socket, LoopbackCalls.SHUT_WR); // the peer may be gone

    /// <summary>Has the peer see that the connection broke, instead of its end, when the socket is closed.</summary>
    public static unsafe void ResetOnClose(SafeFileDescriptor socket)
    {
        int* linger = stackalloc int[] { 1, 0 }; // struct linger, sys/socket.h: on, and for no time
        // SAFETY: the kernel copies the eight bytes, which live on this frame.
        _ = LoopbackCalls.setsockopt(socket, LibC.SOL_SOCKET, LoopbackCalls.SO_LINGER, linger, 2 * sizeof(int)); // the peer may be gone
    }

    private static SafeFileDescriptor Open(bool isVersion6) => LinuxException.ThrowIfInvalid(
        LibC.socket(isVersion6 ? LoopbackCalls.AF_INET6 : LibC.AF_INET, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0),
        "socket", "open a socket of the loopback interface");

    // False when it is not decided yet.
    private static unsafe bool TryConnect(SafeFileDescriptor socket, ushort port, bool isVersion6, string action)
    {
        byte* name = stackalloc byte[NameLength6];
        uint length = Name(new Span<byte>(name, NameLength6), port, isVersion6);
        // SAFETY: the kernel copies the address, which lives on this frame.
        if (LibC.connect(socket, name, length) == 0)
        {
            return true;
        }

        var error = LinuxException.FromLastErrno("connect", action);
        return error.Errno is Errno.EINPROGRESS ? false : throw error;
    }

    private static unsafe Errno ErrorOf(SafeFileDescriptor socket)
    {
        int error = 0;
        uint length = sizeof(int);
        // SAFETY: the kernel writes at most four bytes into the number, which lives on this frame.
        LinuxException.ThrowIfNegative(
            LibC.getsockopt(socket, LibC.SOL_SOCKET, LibC.SO_ERROR, &error, &length), "getsockopt(SO_ERROR)", "ask for an error");
        return (Errno)error;
    }

    // Writes the address of the loopback interface and returns its length.
    private static uint Name(Span<byte> name, ushort port, bool isVersion6)
    {
        name.Clear();
        BitConverter.TryWriteBytes(name, (ushort)(isVersion6 ? LoopbackCalls.AF_INET6 : LibC.AF_INET));
        BinaryPrimitives.WriteUInt16BigEndian(name[2..], port);
        if (isVersion6)
        {
            name[23] = 1; // behind the flow's 4 bytes, the last of 16
            return NameLength6;
        }

        (name[4], name[7]) = (127, 1);
        return NameLength4;
    }
}
