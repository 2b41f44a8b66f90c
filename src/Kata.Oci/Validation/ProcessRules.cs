using static Kata.Oci.FieldRules;

namespace Kata.Oci;

/// <summary>The rules for processes.</summary>
internal static class ProcessRules
{
    // setrlimit(2); the names of the kernel's asm-generic/resource.h.
    private static readonly string[] s_rlimits =
    [
        "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_LOCKS", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE",
        "RLIMIT_NICE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS", "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK",
    ];

    // linux/capability.h up to CAP_CHECKPOINT_RESTORE, the last one of Linux 6.x.
    private static readonly HashSet<string> s_capabilities = new(StringComparer.Ordinal)
    {
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
        "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN",
        "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
        "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    };

    /// <summary>The capabilities that are granted when they are asked for, in the kernel's order.</summary>
    internal static IReadOnlyCollection<string> KnownCapabilities => s_capabilities;

    private static readonly string[] s_schedulers =
        ["SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"];

    // sched_setattr(2), linux/sched.h.
    private static readonly string[] s_schedulerFlags =
    [
        "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS",
        "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
    ];

    private static readonly string[] s_ioClasses = ["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"];

    internal static void Check(string pointer, ProcessSpec process, List<string> warnings)
    {
        if (process.Args is null || process.Args.Count == 0)
        {
            throw new InvalidSpecException(
                $"{pointer}/args", process.Args is null ? "is missing" : "is an empty array", "It must name at least the program to run");
        }

        CheckStrings($"{pointer}/args", process.Args);
        CheckAbsolute($"{pointer}/cwd", process.Cwd);
        CheckEnvironment($"{pointer}/env", process.Env, warnings);
        CheckCapabilities($"{pointer}/capabilities", process.Capabilities, warnings);
        CheckRlimits($"{pointer}/rlimits", process.Rlimits);
        CheckRange($"{pointer}/oomScoreAdj", process.OomScoreAdj, -1000, 1000);
        CheckRange($"{pointer}/consoleSize/height", process.ConsoleSize?.Height, 0, ushort.MaxValue); // struct winsize has 16 bits
        CheckRange($"{pointer}/consoleSize/width", process.ConsoleSize?.Width, 0, ushort.MaxValue);
        CheckRange($"{pointer}/user/umask", process.User?.Umask, 0, 0x1ff);
        CheckUser($"{pointer}/user", process.User);
        CheckOneOf($"{pointer}/scheduler/policy", process.Scheduler?.Policy, s_schedulers);
        CheckRange($"{pointer}/scheduler/nice", process.Scheduler?.Nice, -20, 19);
        for (int i = 0; i < (process.Scheduler?.Flags?.Count ?? 0); i++)
            CheckOneOf(At($"{pointer}/scheduler/flags", i), process.Scheduler!.Flags![i], s_schedulerFlags);
        CheckOneOf($"{pointer}/ioPriority/class", process.IoPriority?.Class, s_ioClasses);
        CheckRange($"{pointer}/ioPriority/priority", process.IoPriority?.Priority, 0, 7);
    }

    private static void CheckUser(string pointer, UserSpec? user)
    {
        // (uid_t)-1 means "leave it as it is" to setresuid(2): the process would silently stay root.
        CheckRange($"{pointer}/uid", user?.Uid, 0, uint.MaxValue - 1);
        CheckRange($"{pointer}/gid", user?.Gid, 0, uint.MaxValue - 1);
        for (int i = 0; i < (user?.AdditionalGids?.Count ?? 0); i++)
            CheckRange(At($"{pointer}/additionalGids", i), user!.AdditionalGids![i], 0, uint.MaxValue - 1);
    }

    private static void CheckEnvironment(string pointer, IReadOnlyList<string>? environment, List<string> warnings)
    {
        CheckStrings(pointer, environment);
        for (int i = 0; i < (environment?.Count ?? 0); i++)
        {
            // The value is not shown: it may be a secret whose name was forgotten.
            if (environment![i].IndexOf('=', StringComparison.Ordinal) <= 0)
                warnings.Add($"{At(pointer, i)} is not of the form NAME=value: programs will not find it");
        }
    }

    private static void CheckCapabilities(string pointer, LinuxCapabilities? capabilities, List<string> warnings)
    {
        if (capabilities is null)
            return;
        CheckCapabilitySet($"{pointer}/bounding", capabilities.Bounding, warnings);
        CheckCapabilitySet($"{pointer}/effective", capabilities.Effective, warnings);
        CheckCapabilitySet($"{pointer}/inheritable", capabilities.Inheritable, warnings);
        CheckCapabilitySet($"{pointer}/permitted", capabilities.Permitted, warnings);
        CheckCapabilitySet($"{pointer}/ambient", capabilities.Ambient, warnings);
    }

    private static void CheckCapabilitySet(string pointer, IReadOnlyList<string>? names, List<string> warnings)
    {
        CheckStrings(pointer, names);
        for (int i = 0; i < (names?.Count ?? 0); i++)
        {
            if (!s_capabilities.Contains(names![i]))
                warnings.Add($"{At(pointer, i)} holds {SpecText.Quote(names[i])}, which is no known capability: it is not granted");
        }
    }

    private static void CheckRlimits(string pointer, IReadOnlyList<PosixRlimit>? limits)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < (limits?.Count ?? 0); i++)
        {
            PosixRlimit limit = NotNull(At(pointer, i), limits![i]);
            CheckOneOf($"{At(pointer, i)}/type", limit.Type, s_rlimits);
            if (!seen.Add(limit.Type))
            {
                throw new InvalidSpecException(
                    $"{At(pointer, i)}/type", $"holds '{limit.Type}' a second time", "Give each limit once");
            }

            if (limit.Soft > limit.Hard)
            {
                throw new InvalidSpecException(
                    $"{At(pointer, i)}/soft",
                    $"holds {limit.Soft}, above the hard limit {limit.Hard}",
                    "It must be at most the hard limit");
            }
        }
    }
}
