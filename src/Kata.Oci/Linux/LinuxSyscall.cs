namespace Kata.Oci;

/// <summary>One rule of a system call filter.</summary>
public sealed record LinuxSyscall : OciObject
{
    /// <summary>The system calls it is about.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>What happens, such as <c>SCMP_ACT_ALLOW</c>.</summary>
    public required string Action { get; init; }

    /// <summary>The errno for an action that returns one.</summary>
    public uint? ErrnoRet { get; init; }

    /// <summary>Conditions on the arguments.</summary>
    public IReadOnlyList<LinuxSeccompArg>? Args { get; init; }
}
