namespace Kata.Oci;

/// <summary>A condition on one argument of a system call.</summary>
public sealed record LinuxSeccompArg : OciObject
{
    /// <summary>Which argument, from 0.</summary>
    public required uint Index { get; init; }

    /// <summary>What it is compared with.</summary>
    public required ulong Value { get; init; }

    /// <summary>The second operand, for <c>SCMP_CMP_MASKED_EQ</c>.</summary>
    public ulong? ValueTwo { get; init; }

    /// <summary>The comparison, such as <c>SCMP_CMP_EQ</c>.</summary>
    public required string Op { get; init; }
}
