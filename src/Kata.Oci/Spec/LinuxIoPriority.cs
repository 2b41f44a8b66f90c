namespace Kata.Oci;

/// <summary>The I/O priority of a process, <c>ioprio_set(2)</c>.</summary>
public sealed record LinuxIoPriority : OciObject
{
    /// <summary>The class, such as <c>IOPRIO_CLASS_BE</c>.</summary>
    public required string Class { get; init; }

    /// <summary>The priority inside the class, 0 to 7.</summary>
    public int Priority { get; init; }
}
