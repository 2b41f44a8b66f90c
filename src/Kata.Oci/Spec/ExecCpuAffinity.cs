namespace Kata.Oci;

/// <summary>The CPUs of a process that joins a running container, as lists like <c>0-3,7</c>.</summary>
public sealed record ExecCpuAffinity : OciObject
{
    /// <summary>While the process is being set up, before it enters the container's cgroup.</summary>
    public string? Initial { get; init; }

    /// <summary>Once it is in the container's cgroup.</summary>
    public string? Final { get; init; }
}
