using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>A netlink socket of the route protocol in the network namespace of the thread that opens it.</summary>
internal sealed class KernelTransport : INetlinkTransport
{
    // What the kernel can send at once is bounded by the receive buffer; this is far above and keeps a wrong length from costing memory.
    private const int MaxDatagram = 64 << 20;

    private readonly int _receiveFlags;

    private KernelTransport(SafeNetlinkHandle handle, int receiveFlags)
    {
        Handle = handle;
        _receiveFlags = receiveFlags;
    }

    public SafeNetlinkHandle Handle { get; }

    /// <summary>For requests: receiving waits up to <paramref name="timeout"/>.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static KernelTransport OpenForRequests(TimeSpan timeout)
    {
        SafeNetlinkHandle handle = Open(groups: 0);
        try
        {
            var limit = new TimeVal
            {
                tv_sec = timeout.Ticks / TimeSpan.TicksPerSecond,
                tv_usec = timeout.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond,
            };
            Set(handle, LibC.SOL_SOCKET, LibC.SO_RCVTIMEO, limit, "limit how long an answer may take");
            // Old kernels know neither; requests are the same, errors say less, and lists are filtered here too.
            TrySet(handle, Rtnl.SOL_NETLINK, Rtnl.NETLINK_EXT_ACK, 1);
            TrySet(handle, Rtnl.SOL_NETLINK, Rtnl.NETLINK_CAP_ACK, 1);
            TrySet(handle, Rtnl.SOL_NETLINK, Rtnl.NETLINK_GET_STRICT_CHK, 1);
            return new KernelTransport(handle, receiveFlags: 0);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>For notifications: receiving never waits.</summary>
    /// <param name="groups">One bit for each multicast group, group 1 the lowest.</param>
    /// <param name="bufferSize">Of the receive buffer, in bytes; null for the system's default.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static KernelTransport OpenForGroups(uint groups, int? bufferSize)
    {
        SafeNetlinkHandle handle = Open(groups);
        try
        {
            // FORCE goes beyond net.core.rmem_max and needs CAP_NET_ADMIN.
            if (bufferSize is { } size && TrySet(handle, LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, size) != NetlinkErrno.None)
            {
                Set(handle, LibC.SOL_SOCKET, LibC.SO_RCVBUF, size, "set the size of the receive buffer");
            }

            return new KernelTransport(handle, LibC.MSG_DONTWAIT);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public NetlinkErrno Send(ReadOnlySpan<byte> datagram)
    {
        nint sent;
        NetlinkErrno errno;
        do
        {
            // SAFETY: the span is pinned, and the kernel reads no more than its length before the call returns.
            unsafe
            {
                fixed (byte* data = datagram)
                {
                    sent = LibC.send(Handle, data, (nuint)datagram.Length, 0);
                    errno = sent < 0 ? (NetlinkErrno)Marshal.GetLastPInvokeError() : NetlinkErrno.None;
                }
            }
        }
        while (errno == NetlinkErrno.EINTR);
        return errno;
    }

    public NetlinkErrno Receive(ref byte[] buffer, out int length, out uint sender)
    {
        // How long the next datagram is, without taking it; 0 bytes are asked for, so it is truncated.
        NetlinkErrno errno = ReceiveOnce([], LibC.MSG_PEEK | LibC.MSG_TRUNC, out length, out sender);
        if (errno != NetlinkErrno.None)
        {
            return errno;
        }

        if (length > MaxDatagram)
        {
            throw new NetlinkProtocolException($"a datagram has {length} bytes");
        }

        if (length > buffer.Length)
        {
            buffer = new byte[Math.Max(length, Math.Min(MaxDatagram, buffer.Length * 2))];
        }

        errno = ReceiveOnce(buffer, LibC.MSG_TRUNC, out length, out sender);
        return errno == NetlinkErrno.None && length > buffer.Length
            ? throw new NetlinkProtocolException($"a datagram has {length} bytes, more than it had before it was taken")
            : errno;
    }

    public void Dispose() => Handle.Dispose();

    private NetlinkErrno ReceiveOnce(Span<byte> buffer, int flags, out int length, out uint sender)
    {
        NetlinkErrno errno;
        do
        {
            // SAFETY: the buffer is pinned and the structures are locals; the kernel writes no more than the lengths that they give.
            unsafe
            {
                fixed (byte* data = buffer)
                {
                    var address = default(SockAddrNl);
                    var vector = new IoVec { iov_base = data, iov_len = (nuint)buffer.Length };
                    var message = new MsgHdr
                    {
                        msg_name = &address,
                        msg_namelen = (uint)Unsafe.SizeOf<SockAddrNl>(),
                        msg_iov = &vector,
                        msg_iovlen = 1,
                    };
                    nint received = LibC.recvmsg(Handle, &message, flags | _receiveFlags);
                    errno = received < 0 ? (NetlinkErrno)Marshal.GetLastPInvokeError() : NetlinkErrno.None;
                    length = (int)Math.Max(received, 0);
                    sender = address.nl_pid;
                }
            }
        }
        while (errno == NetlinkErrno.EINTR);
        return errno;
    }

    private static SafeNetlinkHandle Open(uint groups)
    {
        SafeNetlinkHandle handle = LibC.socket(LibC.AF_NETLINK, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, Rtnl.NETLINK_ROUTE);
        int error = Marshal.GetLastPInvokeError();
        if (!handle.IsInvalid)
        {
            var address = new SockAddrNl { nl_family = LibC.AF_NETLINK, nl_groups = groups };
            if (LibC.bind(handle, address, (uint)Unsafe.SizeOf<SockAddrNl>()) == 0)
            {
                return handle;
            }

            error = Marshal.GetLastPInvokeError();
        }

        handle.Dispose();
        throw new NetlinkException("open a netlink socket", "", (NetlinkErrno)error);
    }

    private static void Set<T>(SafeNetlinkHandle handle, int level, int option, T value, string operation)
        where T : unmanaged
    {
        NetlinkErrno errno = TrySet(handle, level, option, value);
        if (errno != NetlinkErrno.None)
        {
            throw new NetlinkException(operation, "", errno);
        }
    }

    // SAFETY: the value is a parameter, which outlives the call, and its size is the one that is given.
    private static unsafe NetlinkErrno TrySet<T>(SafeNetlinkHandle handle, int level, int option, T value)
        where T : unmanaged =>
        LibC.setsockopt(handle, level, option, &value, (uint)sizeof(T)) == 0
            ? NetlinkErrno.None : (NetlinkErrno)Marshal.GetLastPInvokeError();
}
