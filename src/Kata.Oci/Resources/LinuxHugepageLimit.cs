namespace Kata.Oci;

/// <summary>The limit of one huge page size.</summary>
public sealed record LinuxHugepageLimit : OciObject
{
    /// <summary>The size with its unit, such as <c>2MB</c>.</summary>
    public required string PageSize { get; init; }

    /// <summary>Bytes.</summary>
    public required ulong Limit { get; init; }
}
