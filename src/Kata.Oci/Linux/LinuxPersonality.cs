namespace Kata.Oci;

/// <summary>The execution domain of a container, <c>personality(2)</c>.</summary>
public sealed record LinuxPersonality : OciObject
{
    /// <summary><c>LINUX</c> or <c>LINUX32</c>.</summary>
    public required string Domain { get; init; }

    /// <summary>Further flags; the specification names none.</summary>
    public IReadOnlyList<string>? Flags { get; init; }
}
