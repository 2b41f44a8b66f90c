using System.Runtime.InteropServices;

namespace Kata.Netlink.Interop;

internal static partial class LibC
{
    internal const int AF_NETLINK = 16;
    internal const int SOCK_RAW = 3;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int SOL_SOCKET = 1;
    internal const int SO_RCVBUF = 8;
    internal const int SO_RCVTIMEO = 20;
    internal const int SO_RCVBUFFORCE = 33;
    internal const int MSG_PEEK = 0x2;
    internal const int MSG_TRUNC = 0x20;
    internal const int MSG_DONTWAIT = 0x40;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial SafeNetlinkHandle socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int bind(SafeNetlinkHandle fd, in SockAddrNl address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int setsockopt(SafeNetlinkHandle fd, int level, int option, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint send(SafeNetlinkHandle fd, byte* data, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint recvmsg(SafeNetlinkHandle fd, MsgHdr* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int close(int fd);
}

/// <summary><c>struct sockaddr_nl</c>, linux/netlink.h; 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SockAddrNl
{
    public ushort nl_family;
    private readonly ushort _pad;
    public uint nl_pid;
    public uint nl_groups;
}

/// <summary><c>struct iovec</c>, sys/uio.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVec
{
    public void* iov_base;
    public nuint iov_len;
}

/// <summary><c>struct msghdr</c> of the 64-bit C libraries, sys/socket.h; 56 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MsgHdr
{
    public void* msg_name;
    public uint msg_namelen;
    private readonly uint _pad;
    public IoVec* msg_iov;
    public nuint msg_iovlen;
    public void* msg_control;
    public nuint msg_controllen;
    public int msg_flags;
    private readonly int _pad2;
}

/// <summary><c>struct timeval</c> of 64-bit Linux, sys/time.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeVal
{
    public long tv_sec;
    public long tv_usec;
}
