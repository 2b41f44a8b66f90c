namespace Kata.Configuration;

/// <summary>Our own <c>[kata]</c> table: the limit of every wait on a peer, and the monitor's user.</summary>
internal sealed record LimitsConfig
{
    /// <summary>From the start of the monitor until the agent is up.</summary>
    public required TimeSpan BootTimeout { get; init; }

    /// <summary>For one answer of the agent or the monitor.</summary>
    public required TimeSpan RequestTimeout { get; init; }

    /// <summary>Between two questions to the agent whether it still answers.</summary>
    public required TimeSpan AgentCheckInterval { get; init; }

    /// <summary>For the machine to end before it is killed.</summary>
    public required TimeSpan StopTimeout { get; init; }

    /// <summary>For the rest of a finished process's output.</summary>
    public required TimeSpan StdioDrainTimeout { get; init; }

    /// <summary>The user and group id the monitor runs as; never 0.</summary>
    public required uint JailUser { get; init; }
}
