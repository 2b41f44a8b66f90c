using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const uint EPOLLIN = 0x001;
    internal const uint EPOLLPRI = 0x002;
    internal const uint EPOLLOUT = 0x004;
    internal const uint EPOLLERR = 0x008;
    internal const uint EPOLLHUP = 0x010;
    internal const uint EPOLLRDHUP = 0x2000;
    internal const uint EPOLLONESHOT = 1u << 30;
    internal const short POLLIN = 0x001;
    internal const short POLLOUT = 0x004;
    internal const int EPOLL_CTL_ADD = 1;
    internal const int EPOLL_CTL_DEL = 2;
    internal const int EPOLL_CTL_MOD = 3;
    internal const int EPOLL_CLOEXEC = 0x80000;
    internal const int EFD_CLOEXEC = 0x80000;
    internal const int EFD_NONBLOCK = 0x800;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial SafeFileDescriptor epoll_create1(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static unsafe partial int epoll_ctl(SafeFileDescriptor epoll, int operation, SafeFileDescriptor fd, void* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static unsafe partial int epoll_wait(SafeFileDescriptor epoll, void* events, int capacity, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int poll(ref PollFd entries, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial SafeFileDescriptor eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial SafeFileDescriptor inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int inotify_add_watch(SafeFileDescriptor fd, string path, uint mask);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int inotify_rm_watch(SafeFileDescriptor fd, int watch);
}

/// <summary><c>struct pollfd</c>, poll.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollFd
{
    public int fd;
    public short events;
    public short revents;
}
