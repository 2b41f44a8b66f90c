using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

// What an init process needs beyond the rest. System call numbers: x86-64 and arm64.
internal static partial class LibC
{
    internal const int AF_INET = 2;
    internal const int AF_NETLINK = 16;
    internal const int SOCK_DGRAM = 2;
    internal const int NETLINK_KOBJECT_UEVENT = 15;
    internal const ulong SIOCGIFFLAGS = 0x8913;
    internal const ulong SIOCSIFFLAGS = 0x8914;
    internal const short IFF_UP = 1;
    internal const ulong FIONREAD = 0x541B;
    internal const ulong RNDADDENTROPY = 0x40085203;
    internal const ulong RNDRESEEDCRNG = 0x5207;
    internal const uint RB_POWER_OFF = 0x4321fedc;
    internal const int CLOCK_REALTIME = 0;
    internal const uint IN_MODIFY = 0x2;
    internal const uint IN_CREATE = 0x100;
    internal const uint IN_DELETE = 0x200;
    internal const uint IN_IGNORED = 0x8000;
    internal const int IN_CLOEXEC = 0x80000;
    internal const int IN_NONBLOCK = 0x800;
    internal const uint EPOLLET = 1u << 31;
    internal const ulong RESOLVE_IN_ROOT = 16;

    private static readonly long s_sysInitModule = PerArchitecture(x64: 175, arm64: 105);
    private static readonly long s_sysFinitModule = PerArchitecture(x64: 313, arm64: 273);

    internal static int finit_module(SafeFileDescriptor module, string parameters) =>
        syscall_finit_module(s_sysFinitModule, module, parameters, 0);

    internal static unsafe int init_module(byte* module, nuint length, string parameters) =>
        syscall_init_module(s_sysInitModule, module, length, parameters);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int reboot(uint command);

    [LibraryImport("libc")]
    internal static partial void sync();

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint signal(int number, nint handler);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int sethostname(byte* name, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int clock_settime(int clock, in TimeSpec time);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int renameat(SafeFileDescriptor fromDirectory, string from, SafeFileDescriptor toDirectory, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int symlinkat(string target, SafeFileDescriptor directory, string name);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fchmod(SafeFileDescriptor fd, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fchown(SafeFileDescriptor fd, uint owner, uint group);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int fchownat(SafeFileDescriptor directory, string name, uint owner, uint group, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint pwrite(SafeFileDescriptor fd, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint recv(SafeFileDescriptor fd, byte* buffer, nuint count, int flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int syscall_finit_module(long number, SafeFileDescriptor module, string parameters, int flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int syscall_init_module(long number, byte* module, nuint length, string parameters);
}

/// <summary><c>struct timespec</c> of 64-bit Linux, time.h; 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    public long tv_sec;
    public long tv_nsec;
}

/// <summary><c>struct sockaddr_nl</c>, linux/netlink.h; 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SockAddrNl
{
    public ushort nl_family;
    public ushort nl_pad;
    public uint nl_pid;
    public uint nl_groups;
}

/// <summary><c>struct ifreq</c> with its flags, net/if.h; 40 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 40)]
internal unsafe struct IfReqFlags
{
    public fixed byte ifr_name[16];
    public short ifr_flags;
}
