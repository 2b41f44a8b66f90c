namespace Kata.Oci;

/// <summary>The offset of one clock in a time namespace.</summary>
public sealed record LinuxTimeOffset : OciObject
{
    /// <summary>Seconds.</summary>
    public long? Secs { get; init; }

    /// <summary>Nanoseconds.</summary>
    public uint? Nanosecs { get; init; }
}
