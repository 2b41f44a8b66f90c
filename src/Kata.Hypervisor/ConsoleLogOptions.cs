namespace Kata.Hypervisor;

/// <summary>The bounds of a <see cref="ConsoleLog"/>.</summary>
internal sealed record ConsoleLogOptions
{
    /// <summary>The file and its one predecessor (<c>.1</c>) together stay below this.</summary>
    public int FileLimitBytes { get; init; } = 256 * 1024;

    /// <summary>How many of the last lines stay in memory.</summary>
    public int TailLines { get; init; } = 200;

    /// <summary>A longer line is cut into pieces of this size.</summary>
    public int LineLimitBytes { get; init; } = 1024;

    /// <summary>Lines handed to the callback per second; what is beyond is counted, not handed on.</summary>
    public int LinesPerSecond { get; init; } = 500;
}
