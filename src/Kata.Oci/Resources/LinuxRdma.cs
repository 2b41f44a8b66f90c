namespace Kata.Oci;

/// <summary>The RDMA limits of one device.</summary>
public sealed record LinuxRdma : OciObject
{
    /// <summary>The most handles.</summary>
    public uint? HcaHandles { get; init; }

    /// <summary>The most objects.</summary>
    public uint? HcaObjects { get; init; }
}
