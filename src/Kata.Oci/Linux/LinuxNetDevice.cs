namespace Kata.Oci;

/// <summary>A network device of the host that is moved into the container.</summary>
public sealed record LinuxNetDevice : OciObject
{
    /// <summary>Its name in the container; the one on the host when missing.</summary>
    public string? Name { get; init; }
}
