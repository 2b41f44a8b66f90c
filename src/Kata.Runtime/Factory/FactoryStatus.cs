namespace Kata.Runtime.Factory;

/// <summary>What whoever keeps the pool says of it.</summary>
internal sealed record FactoryStatus
{
    /// <summary>The process that keeps it.</summary>
    public required int Pid { get; init; }

    /// <summary>How many machines there are to be.</summary>
    public required int Wanted { get; init; }

    /// <summary>Those that can be claimed.</summary>
    public IReadOnlyList<WaitingMachine> Machines { get; init; } = [];

    /// <summary>How many pods have taken one.</summary>
    public long Claims { get; init; }

    /// <summary>How many commands found none that they could take.</summary>
    public long Misses { get; init; }

    /// <summary>Why there are fewer than wanted, where something fails; null where they are on their way.</summary>
    public string? Problem { get; init; }
}
