using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const int P_ALL = 0;
    internal const int P_PID = 1;
    internal const int P_PIDFD = 3;
    internal const int WNOHANG = 1;
    internal const int WEXITED = 4;
    internal const int WNOWAIT = 0x1000000;
    internal const int WALL = 0x40000000; // __WALL: children without an exit signal too

    internal const short POSIX_SPAWN_SETPGROUP = 2;
    internal const short POSIX_SPAWN_SETSIGDEF = 4;
    internal const short POSIX_SPAWN_SETSIGMASK = 8;
    internal const short POSIX_SPAWN_SETSID = 0x80;

    internal const int CLONE_NEWNS = 0x00020000;
    internal const int CLONE_NEWCGROUP = 0x02000000;
    internal const int CLONE_NEWUTS = 0x04000000;
    internal const int CLONE_NEWIPC = 0x08000000;
    internal const int CLONE_NEWPID = 0x20000000;
    internal const int CLONE_NEWNET = 0x40000000;
    internal const int CLONE_NEWUSER = 0x10000000;
    internal const int CLONE_FS = 0x00000200;
    internal const int CLONE_FILES = 0x00000400;

    internal const int PR_SET_PDEATHSIG = 1;
    internal const int PR_SET_NAME = 15;
    internal const int PR_CAPBSET_READ = 23;
    internal const int PR_CAPBSET_DROP = 24;
    internal const int PR_SET_SECUREBITS = 28;
    internal const ulong SECBIT_NO_SETUID_FIXUP = 1 << 2; // linux/securebits.h
    internal const int PR_SET_NO_NEW_PRIVS = 38;
    internal const int PR_CAP_AMBIENT = 47;
    internal const int PR_CAP_AMBIENT_CLEAR_ALL = 4;

    private const long SysPidfdSendSignal = 424;
    private const long SysPidfdOpen = 434;
    private static readonly long s_sysSetresuid = PerArchitecture(x64: 117, arm64: 147);
    private static readonly long s_sysSetresgid = PerArchitecture(x64: 119, arm64: 149);
    private static readonly long s_sysSetgroups = PerArchitecture(x64: 116, arm64: 159);
    private static readonly long s_sysCapset = PerArchitecture(x64: 126, arm64: 91);
    private static readonly long s_sysGettid = PerArchitecture(x64: 186, arm64: 178);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getpid();

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getppid();

    [LibraryImport("libc", SetLastError = true)]
    internal static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setsid();

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial nint getrandom(byte* buffer, nuint count, uint flags);

    /// <summary>clone(3) with a function of libc's and its one argument.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int clone(nint function, byte* stackTop, int flags, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setns(SafeFileDescriptor fd, int kind);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int prctl(int option, ulong arg2, ulong arg3, ulong arg4, ulong arg5);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int prctl_name(int option, string name);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int execve(string path, string?[] argv, string?[] envp);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int waitid(int kind, int id, SigInfoChild* info, int options, nint usage);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int wait4(int pid, int* status, int options, nint usage);

    internal static SafeFileDescriptor pidfd_open(int pid) => syscall_pidfd_open(SysPidfdOpen, pid, 0);

    internal static int pidfd_send_signal(SafeFileDescriptor pidfd, int signal) =>
        syscall_pidfd_send_signal(SysPidfdSendSignal, pidfd, signal, 0, 0);

    // Raw system calls: glibc's wrappers change every thread of the process, these only the caller's.
    /// <summary>Of every thread: glibc has the others do the same (nptl(7)).</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setresuid(uint real, uint effective, uint saved);

    /// <inheritdoc cref="setresuid"/>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setresgid(uint real, uint effective, uint saved);

    /// <inheritdoc cref="setresuid"/>
    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int setgroups(nuint count, uint* groups);

    internal static int thread_setresuid(uint id) => syscall_setres(s_sysSetresuid, id, id, id);

    internal static int thread_setresgid(uint id) => syscall_setres(s_sysSetresgid, id, id, id);

    internal static unsafe int thread_setgroups(ReadOnlySpan<uint> groups)
    {
        // SAFETY: the span is pinned for the call, and the kernel reads exactly Length items.
        fixed (uint* first = groups)
        {
            return syscall_setgroups(s_sysSetgroups, (nuint)groups.Length, first);
        }
    }

    internal static unsafe int thread_capset(CapabilitySet set)
    {
        var header = new CapHeader { version = 0x20080522, pid = 0 };
        CapData* data = stackalloc CapData[2];
        data[0] = new CapData { effective = (uint)set.Effective, permitted = (uint)set.Permitted, inheritable = (uint)set.Inheritable };
        data[1] = new CapData
        {
            effective = (uint)(set.Effective >> 32),
            permitted = (uint)(set.Permitted >> 32),
            inheritable = (uint)(set.Inheritable >> 32),
        };
        // SAFETY: version 3 reads one header and two data items; both live on this stack frame.
        return syscall_capset(s_sysCapset, &header, data);
    }

    internal static int gettid() => (int)syscall_none(s_sysGettid);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int posix_spawn(int* pid, string path, byte* actions, byte* attributes, string?[] argv, string?[] envp);

    [LibraryImport("libc")]
    internal static unsafe partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    internal static unsafe partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc")]
    internal static unsafe partial int posix_spawn_file_actions_adddup2(byte* actions, int fd, int newFd);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int posix_spawn_file_actions_addchdir_np(byte* actions, string path);

    [LibraryImport("libc")]
    internal static unsafe partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    internal static unsafe partial int posix_spawnattr_destroy(byte* attributes);

    [LibraryImport("libc")]
    internal static unsafe partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    internal static unsafe partial int posix_spawnattr_setsigdefault(byte* attributes, byte* set);

    [LibraryImport("libc")]
    internal static unsafe partial int posix_spawnattr_setsigmask(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial SafeFileDescriptor syscall_pidfd_open(long number, int pid, uint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial int syscall_pidfd_send_signal(long number, SafeFileDescriptor pidfd, int signal, nint info, uint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial int syscall_setres(long number, uint real, uint effective, uint saved);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial int syscall_setgroups(long number, nuint count, uint* groups);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial int syscall_capset(long number, CapHeader* header, CapData* data);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long syscall_none(long number);
}

/// <summary><c>siginfo_t</c> as waitid(2) fills it on 64-bit Linux, asm-generic/siginfo.h; 128 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal struct SigInfoChild
{
    public int si_signo;
    public int si_errno;
    public int si_code;
    private readonly int _pad;
    public int si_pid;
    public uint si_uid;
    public int si_status;
}

/// <summary><c>struct __user_cap_header_struct</c>, linux/capability.h; 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CapHeader
{
    public uint version;
    public int pid;
}

/// <summary><c>struct __user_cap_data_struct</c>, linux/capability.h; 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CapData
{
    public uint effective;
    public uint permitted;
    public uint inheritable;
}

/// <summary>Capability bits by number, as in linux/capability.h.</summary>
internal readonly record struct CapabilitySet(ulong Effective, ulong Permitted, ulong Inheritable);
