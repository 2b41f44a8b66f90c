using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const int AF_UNIX = 1;
    internal const int AF_VSOCK = 40;
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_SEQPACKET = 5;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int SOCK_NONBLOCK = 0x800;
    internal const int SOL_SOCKET = 1;
    internal const int SO_ERROR = 4;
    internal const int SO_PEERCRED = 17;
    internal const int SCM_RIGHTS = 1;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const int MSG_CMSG_CLOEXEC = 0x40000000;
    internal const int MSG_CTRUNC = 0x8;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial SafeFileDescriptor socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int socketpair(int domain, int type, int protocol, int* fds);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int bind(SafeFileDescriptor fd, void* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int listen(SafeFileDescriptor fd, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial SafeFileDescriptor accept4(SafeFileDescriptor fd, void* address, uint* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int connect(SafeFileDescriptor fd, void* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int getsockopt(SafeFileDescriptor fd, int level, int option, void* value, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int getsockname(SafeFileDescriptor fd, void* address, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int shutdown(SafeFileDescriptor fd, int how);

    /// <summary>Nothing more is written; reading goes on.</summary>
    internal const int SHUT_WR = 1;

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint sendto(
        SafeFileDescriptor fd, void* data, nuint length, int flags, void* address, uint addressLength);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint sendmsg(SafeFileDescriptor fd, MsgHdr* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint recvmsg(SafeFileDescriptor fd, MsgHdr* message, int flags);
}

/// <summary><c>struct iovec</c>, sys/uio.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVec
{
    public void* iov_base;
    public nuint iov_len;
}

/// <summary><c>struct msghdr</c> of 64-bit glibc, sys/socket.h; 56 bytes.</summary>
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

/// <summary><c>struct sockaddr_vm</c>, linux/vm_sockets.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SockAddrVm
{
    public ushort svm_family;
    public ushort svm_reserved1;
    public uint svm_port;
    public uint svm_cid;
    private readonly uint _flagsAndZero; // svm_flags, svm_zero
}

/// <summary><c>struct ucred</c>, sys/socket.h; 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UCred
{
    public int pid;
    public uint uid;
    public uint gid;
}
