using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

// What sockets of the loopback interface need alone: bpf(2) of linux/bpf.h, and options.
internal static partial class LoopbackCalls
{
    internal const int AF_INET6 = 10;
    internal const int IPPROTO_IP = 0;
    internal const int IPPROTO_IPV6 = 41;
    internal const int IP_FREEBIND = 15;
    internal const int IPV6_FREEBIND = 78; // linux/in6.h
    internal const int SO_LINGER = 13;
    internal const int SHUT_WR = 1;
    internal const int BPF_MAP_CREATE = 0;
    internal const int BPF_MAP_UPDATE_ELEM = 2;
    internal const int BPF_PROG_LOAD = 5;
    internal const int BPF_LINK_CREATE = 28;
    internal const uint BPF_MAP_TYPE_SOCKMAP = 15;
    internal const uint BPF_PROG_TYPE_SK_LOOKUP = 30;
    internal const uint BPF_SK_LOOKUP = 36;

    private static readonly long s_sysBpf = LibC.PerArchitecture(RuntimeInformation.ProcessArchitecture, x64: 321, arm64: 280);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int setsockopt(SafeFileDescriptor fd, int level, int option, void* value, uint length);

    /// <summary>For commands that return a descriptor.</summary>
    internal static unsafe SafeFileDescriptor bpf(int command, void* attributes, uint size) =>
        syscall_bpf(s_sysBpf, command, attributes, size);

    /// <summary>For commands that return 0.</summary>
    internal static unsafe int bpf_status(int command, void* attributes, uint size) =>
        (int)syscall_bpf_status(s_sysBpf, command, attributes, size);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial SafeFileDescriptor syscall_bpf(long number, int command, void* attributes, uint size);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial long syscall_bpf_status(long number, int command, void* attributes, uint size);
}
