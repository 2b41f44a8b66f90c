namespace Kata.Service;

/// <summary>
/// The first line of a stand-in's connection, as JSON. With it come the descriptors: standard input, output and error; with a terminal
/// input and output, or the one terminal that is both.
/// </summary>
internal sealed record StandInHello
{
    public required string Container { get; init; }

    /// <summary>Empty for the container's first process.</summary>
    public required string ExecId { get; init; }

    public bool Terminal { get; init; }

    public ushort Rows { get; init; }

    public ushort Columns { get; init; }

    /// <summary>The caller's terminal puts the carriage return before a newline, so that the process's own is not to.</summary>
    public bool PlainNewlines { get; init; }

    /// <summary>A process of its own that belongs to the pod and ends with it; false for the caller's own command.</summary>
    public bool Detached { get; init; }
}
