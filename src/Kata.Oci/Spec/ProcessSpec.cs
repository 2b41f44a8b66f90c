using System.Text.Json.Serialization;

namespace Kata.Oci;

/// <summary>A process of a container: the first one of the bundle, or one added by exec.</summary>
public sealed record ProcessSpec : OciObject
{
    /// <summary>Whether the process gets a pseudo terminal.</summary>
    public bool? Terminal { get; init; }

    /// <summary>The first size of that terminal.</summary>
    public ConsoleSize? ConsoleSize { get; init; }

    /// <summary>Who the process runs as; user 0 when missing.</summary>
    public UserSpec? User { get; init; }

    /// <summary>The program and its arguments, as for <c>execvp</c>.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>The Windows form of <see cref="Args"/>; not used on Linux.</summary>
    public string? CommandLine { get; init; }

    /// <summary>The environment as <c>NAME=value</c>.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>The working directory, absolute inside the container.</summary>
    public required string Cwd { get; init; }

    /// <summary>The capability sets; none when missing.</summary>
    public LinuxCapabilities? Capabilities { get; init; }

    /// <summary>The resource limits, one of each type.</summary>
    public IReadOnlyList<PosixRlimit>? Rlimits { get; init; }

    /// <summary>Whether <c>PR_SET_NO_NEW_PRIVS</c> is set.</summary>
    public bool? NoNewPrivileges { get; init; }

    /// <summary>The AppArmor profile.</summary>
    public string? ApparmorProfile { get; init; }

    /// <summary>The value for <c>/proc/self/oom_score_adj</c>, -1000 to 1000.</summary>
    public int? OomScoreAdj { get; init; }

    /// <summary>The scheduling policy.</summary>
    public LinuxScheduler? Scheduler { get; init; }

    /// <summary>The SELinux label.</summary>
    public string? SelinuxLabel { get; init; }

    /// <summary>The I/O priority.</summary>
    public LinuxIoPriority? IoPriority { get; init; }

    /// <summary>The CPUs of a process that joins the container.</summary>
    [JsonPropertyName("execCPUAffinity")]
    public ExecCpuAffinity? ExecCpuAffinity { get; init; }
}
