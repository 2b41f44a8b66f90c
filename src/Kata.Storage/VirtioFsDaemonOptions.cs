namespace Kata.Storage;

/// <summary>What a virtiofsd is started with. Pure data, decided by the plan.</summary>
internal sealed record VirtioFsDaemonOptions
{
    /// <summary>Absolute path of the daemon.</summary>
    public required string Path { get; init; }

    /// <summary>The directory to serve; absolute, without a comma.</summary>
    public required string SourceDirectory { get; init; }

    /// <summary>Where its socket lives for the instant between bind and connect; mode 0700.</summary>
    public required string SocketDirectory { get; init; }

    /// <summary>
    /// <c>auto</c>, <c>always</c>, <c>none</c> (<c>never</c> with the Rust daemon, translated), or
    /// <c>metadata</c>, which the C daemon does without.
    /// </summary>
    public string CacheMode { get; init; } = "auto";

    /// <summary>
    /// How many descriptors the daemon may have; 0 for what its caller has. Its hard limit, which it may always reach, when it starts.
    /// </summary>
    public ulong OpenFiles { get; init; }

    /// <summary>Further arguments of the operator's, or of a pod's that the operator allows them.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];

    /// <summary>How long the daemon may take to end after the VMM is gone, before it is killed.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
