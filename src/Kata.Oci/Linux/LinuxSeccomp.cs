namespace Kata.Oci;

/// <summary>A system call filter.</summary>
public sealed record LinuxSeccomp : OciObject
{
    /// <summary>What happens to a call that no rule matches, such as <c>SCMP_ACT_ERRNO</c>.</summary>
    public required string DefaultAction { get; init; }

    /// <summary>The errno for a default action that returns one.</summary>
    public uint? DefaultErrnoRet { get; init; }

    /// <summary>The architectures the filter covers, such as <c>SCMP_ARCH_X86_64</c>.</summary>
    public IReadOnlyList<string>? Architectures { get; init; }

    /// <summary>Flags of <c>seccomp(2)</c>.</summary>
    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>The socket that receives the notification descriptor.</summary>
    public string? ListenerPath { get; init; }

    /// <summary>Opaque data for that listener.</summary>
    public string? ListenerMetadata { get; init; }

    /// <summary>The rules, in order.</summary>
    public IReadOnlyList<LinuxSyscall>? Syscalls { get; init; }
}
