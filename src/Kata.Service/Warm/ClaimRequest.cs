namespace Kata.Service;

/// <summary>
/// What a command tells a service that waits in the pool: all that one which it starts itself has from its arguments and from its parent.
/// Descriptors come along: the command's mount namespace, and the lock of the directory.
/// </summary>
internal sealed record ClaimRequest
{
    /// <summary>The state root of the pod; absolute.</summary>
    public required string Root { get; init; }

    public required string Sandbox { get; init; }

    /// <summary>The configuration file that the command was told; null for the default places.</summary>
    public string? Configuration { get; init; }

    /// <summary>The file for log records, absolute; null for none.</summary>
    public string? Log { get; init; }

    public LogFormat LogFormat { get; init; }

    public bool Debug { get; init; }

    /// <summary>The containerd that asks, or null.</summary>
    public ContainerdOptions? Containerd { get; init; }

    /// <summary>The mask of file modes of the command.</summary>
    public uint Umask { get; init; }

    /// <summary>Its <c>oom_score_adj</c>.</summary>
    public int OomScore { get; init; }

    /// <summary>Its resource limits, in one line.</summary>
    public string Limits { get; init; } = "";

    /// <summary>Its environment, as <c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Variables { get; init; } = [];
}
