namespace Kata.Sandbox;

/// <summary>
/// What a container can be given here, by the names of the OCI specification: the planners decide by these lists and
/// <c>kata-runtime features</c> prints them. Only what really takes effect is in them.
/// </summary>
internal static class SupportedFeatures
{
    /// <summary>The newest version of the OCI runtime specification whose documents are read.</summary>
    public const string OciVersionMax = "1.2.0";

    /// <summary>The oldest.</summary>
    public const string OciVersionMin = "1.0.0";

    /// <summary>The kinds of hooks that are run, in the order of their time: <see cref="HookPoint"/>'s, and the guest's one.</summary>
    public static IReadOnlyList<string> Hooks { get; } =
        ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

    /// <summary>Namespaces that the guest's runtime makes for a container.</summary>
    public static IReadOnlyList<string> GuestNamespaces { get; } = ["cgroup", "ipc", "mount", "pid", "user", "uts"];

    /// <summary>
    /// Those, the time namespace, which the guest's agent makes, and what the machine itself gives: a pod never shares the host's network.
    /// </summary>
    public static IReadOnlyList<string> Namespaces { get; } = ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"];

    /// <summary>
    /// Options that the guest's runtime acts on, in the order of the alphabet; any other goes to the file system as it is.
    /// </summary>
    public static IReadOnlyList<string> MountOptions { get; } =
    [
        "async", "atime", "bind", "defaults", "dev", "diratime", "dirsync", "exec", "idmap", "mand", "noatime", "nodev", "nodiratime",
        "noexec", "nomand", "norelatime", "nostrictatime", "nosuid", "private", "rasync", "rbind", "rdev", "rdiratime", "rdirsync",
        "relatime", "remount", "rexec", "ridmap", "rmand", "rnoatime", "rnodev", "rnodiratime", "rnoexec", "rnomand", "rnorelatime",
        "rnostrictatime", "rnosuid", "ro", "rprivate", "rrelatime", "rro", "rrw", "rshared", "rslave", "rstrictatime", "rsuid",
        "rsync", "runbindable", "rw", "shared", "slave", "strictatime", "suid", "sync", "tmpcopyup", "unbindable",
    ];

    /// <summary>Actions of seccomp. Without SCMP_ACT_NOTIFY: its descriptor cannot cross into the host's kernel.</summary>
    public static IReadOnlyList<string> SeccompActions { get; } =
    [
        "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
        "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
    ];

    /// <summary>Comparisons of seccomp's arguments.</summary>
    public static IReadOnlyList<string> SeccompOperators { get; } =
    [
        "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE",
    ];

    /// <summary>Architectures that the libseccomp of the guest's image compiles filters for.</summary>
    public static IReadOnlyList<string> SeccompArchitectures { get; } =
    [
        "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",
        "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64",
        "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
    ];

    /// <summary>Flags of seccomp(2) that the guest's runtime knows.</summary>
    public static IReadOnlyList<string> SeccompFlags { get; } =
        ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"];
}
