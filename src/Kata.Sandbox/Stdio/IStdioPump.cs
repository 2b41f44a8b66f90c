namespace Kata.Sandbox;

/// <summary>Moves one process's standard streams between the host and the guest.</summary>
internal interface IStdioPump : IAsyncDisposable
{
    /// <summary>
    /// Completes when all output that the process had written when it ended has reached the host's reader, or cannot any more.
    /// Never faults. The exit is reported only after it.
    /// </summary>
    Task Drained { get; }

    /// <summary>
    /// Completes when the process has closed its standard error and all of it was written; never when the guest was lost instead, and not
    /// with every agent. Never faults.
    /// </summary>
    Task ErrorClosed { get; }
}
