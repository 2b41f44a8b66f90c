using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const int IOPRIO_WHO_PROCESS = 1;

    private static readonly long s_sysSchedSetattr = PerArchitecture(x64: 314, arm64: 274);
    private static readonly long s_sysIoprioSet = PerArchitecture(x64: 251, arm64: 30);

    /// <summary>No libc has wrappers for these two.</summary>
    internal static int sched_setattr(int pid, in SchedAttr attributes) => syscall_sched_setattr(s_sysSchedSetattr, pid, in attributes, 0);

    /// <summary>
    /// PR_SCHED_CORE, PR_SCHED_CORE_CREATE, for this process with all its threads (PIDTYPE_TGID); children inherit it. linux/prctl.h.
    /// </summary>
    internal static int CreateCoreCookie() => prctl(62, 1, 0, 1, 0);

    internal static int ioprio_set(int which, int who, int priority) => syscall_ioprio_set(s_sysIoprioSet, which, who, priority);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial int syscall_sched_setattr(long number, int pid, in SchedAttr attributes, uint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial int syscall_ioprio_set(long number, int which, int who, int priority);
}

/// <summary><c>struct sched_attr</c>, linux/sched/types.h, its first version; 48 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SchedAttr
{
    public uint size;
    public uint sched_policy;
    public ulong sched_flags;
    public int sched_nice;
    public uint sched_priority;
    public ulong sched_runtime;
    public ulong sched_deadline;
    public ulong sched_period;
}
