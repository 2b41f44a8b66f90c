using Kata.Oci;

namespace Kata.Runtime.Hosting;

/// <summary>What a create was asked for.</summary>
internal sealed record CreateRequest
{
    public required ContainerId Id { get; init; }

    public required string Bundle { get; init; }

    public string? ConsoleSocket { get; init; }

    /// <summary>The path of a terminal to use instead of a new one.</summary>
    public string? Console { get; init; }

    public string? PidFile { get; init; }

    /// <summary>The command itself stands for the container, instead of a process of its own.</summary>
    public bool Foreground { get; init; }
}
