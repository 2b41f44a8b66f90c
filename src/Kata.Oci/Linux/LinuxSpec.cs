namespace Kata.Oci;

/// <summary>The Linux part of a container's configuration.</summary>
public sealed record LinuxSpec : OciObject
{
    /// <summary>The user ids of the container's user namespace.</summary>
    public IReadOnlyList<LinuxIdMapping>? UidMappings { get; init; }

    /// <summary>The group ids of the container's user namespace.</summary>
    public IReadOnlyList<LinuxIdMapping>? GidMappings { get; init; }

    /// <summary>Kernel parameters to set for the container.</summary>
    public IReadOnlyDictionary<string, string>? Sysctl { get; init; }

    /// <summary>The cgroup limits.</summary>
    public LinuxResources? Resources { get; init; }

    /// <summary>The cgroup: a path, or <c>slice:prefix:name</c> for systemd.</summary>
    public string? CgroupsPath { get; init; }

    /// <summary>The namespaces that are made or joined; the others are inherited.</summary>
    public IReadOnlyList<LinuxNamespace>? Namespaces { get; init; }

    /// <summary>Device nodes the container gets.</summary>
    public IReadOnlyList<LinuxDevice>? Devices { get; init; }

    /// <summary>Network devices of the host that are moved into the container, by their name on the host.</summary>
    public IReadOnlyDictionary<string, LinuxNetDevice>? NetDevices { get; init; }

    /// <summary>The system call filter.</summary>
    public LinuxSeccomp? Seccomp { get; init; }

    /// <summary>The mount propagation of the root: <c>shared</c>, <c>slave</c>, <c>private</c> or <c>unbindable</c>.</summary>
    public string? RootfsPropagation { get; init; }

    /// <summary>Paths that cannot be read in the container.</summary>
    public IReadOnlyList<string>? MaskedPaths { get; init; }

    /// <summary>Paths that cannot be written in the container.</summary>
    public IReadOnlyList<string>? ReadonlyPaths { get; init; }

    /// <summary>The SELinux label of the mounts.</summary>
    public string? MountLabel { get; init; }

    /// <summary>Cache and memory bandwidth allocation.</summary>
    public LinuxIntelRdt? IntelRdt { get; init; }

    /// <summary>The execution domain, <c>personality(2)</c>.</summary>
    public LinuxPersonality? Personality { get; init; }

    /// <summary>The offsets of the time namespace, by clock name.</summary>
    public IReadOnlyDictionary<string, LinuxTimeOffset>? TimeOffsets { get; init; }
}
