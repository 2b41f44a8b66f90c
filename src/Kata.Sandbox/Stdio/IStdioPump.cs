namespace Kata.Sandbox;

/// <summary>Moves one process's standard streams between the host and the guest.</summary>
internal interface IStdioPump : IAsyncDisposable
{
    /// <summary>
    /// Completes when all output that the process had written when it ended has reached the host's reader, or cannot any more.
    /// Never faults. The exit is reported only after it.
    /// </summary>
    Task Drained { get; }
}
