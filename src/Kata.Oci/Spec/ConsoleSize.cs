namespace Kata.Oci;

/// <summary>The size of a terminal in characters.</summary>
public sealed record ConsoleSize : OciObject
{
    /// <summary>Rows.</summary>
    public required uint Height { get; init; }

    /// <summary>Columns.</summary>
    public required uint Width { get; init; }
}
