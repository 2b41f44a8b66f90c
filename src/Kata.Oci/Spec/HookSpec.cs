namespace Kata.Oci;

/// <summary>One program that is run at a point of the life cycle, with the container's state on its standard input.</summary>
public sealed record HookSpec : OciObject
{
    /// <summary>The program, an absolute path.</summary>
    public required string Path { get; init; }

    /// <summary>Its arguments, with its own name as the first.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Its environment as <c>NAME=value</c>.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>After how many seconds it is ended; more than 0.</summary>
    public int? Timeout { get; init; }
}
