namespace Kata.Oci;

/// <summary>The cgroup limits of a container; also the document <c>update</c> reads.</summary>
public sealed record LinuxResources : OciObject
{
    /// <summary>The device access rules, in order.</summary>
    public IReadOnlyList<LinuxDeviceCgroup>? Devices { get; init; }

    /// <summary>Memory.</summary>
    public LinuxMemory? Memory { get; init; }

    /// <summary>CPU time and placement.</summary>
    public LinuxCpu? Cpu { get; init; }

    /// <summary>The number of tasks.</summary>
    public LinuxPids? Pids { get; init; }

    /// <summary>Block I/O.</summary>
    public LinuxBlockIO? BlockIO { get; init; }

    /// <summary>Huge pages, one limit a page size.</summary>
    public IReadOnlyList<LinuxHugepageLimit>? HugepageLimits { get; init; }

    /// <summary>Network class and priorities.</summary>
    public LinuxNetwork? Network { get; init; }

    /// <summary>RDMA resources, by device name.</summary>
    public IReadOnlyDictionary<string, LinuxRdma>? Rdma { get; init; }

    /// <summary>Files of the unified hierarchy (cgroup v2) and what to write to them.</summary>
    public IReadOnlyDictionary<string, string>? Unified { get; init; }
}
