namespace Kata.Oci;

/// <summary>One device access rule.</summary>
public sealed record LinuxDeviceCgroup : OciObject
{
    /// <summary>Whether access is allowed or denied.</summary>
    public required bool Allow { get; init; }

    /// <summary><c>a</c> for all, <c>c</c> or <c>b</c>; all when missing.</summary>
    public string? Type { get; init; }

    /// <summary>The major number; all when missing.</summary>
    public long? Major { get; init; }

    /// <summary>The minor number; all when missing.</summary>
    public long? Minor { get; init; }

    /// <summary>Any of the letters <c>r</c>, <c>w</c>, <c>m</c>.</summary>
    public string? Access { get; init; }
}
