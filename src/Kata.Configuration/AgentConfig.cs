namespace Kata.Configuration;

/// <summary>The <c>[agent.kata]</c> table, checked and complete.</summary>
internal sealed record AgentConfig
{
    public required bool EnableDebug { get; init; }

    /// <summary>Modules, each a name and parameters separated by spaces.</summary>
    public required IReadOnlyList<string> KernelModules { get; init; }

    public required TimeSpan DialTimeout { get; init; }
}
