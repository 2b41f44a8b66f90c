namespace Kata.Oci;

/// <summary>The configuration of one container, <c>config.json</c> of the OCI runtime specification 1.0 to 1.2 for Linux.</summary>
public sealed record RuntimeSpec : OciObject
{
    /// <summary>The version of the specification the document follows, as SemVer.</summary>
    public required string OciVersion { get; init; }

    /// <summary>The container's first process; it may be missing until the container is started.</summary>
    public ProcessSpec? Process { get; init; }

    /// <summary>The root file system.</summary>
    public RootSpec? Root { get; init; }

    /// <summary>The host name inside the UTS namespace.</summary>
    public string? Hostname { get; init; }

    /// <summary>The NIS domain name inside the UTS namespace.</summary>
    public string? Domainname { get; init; }

    /// <summary>What is mounted beside the root, in this order.</summary>
    public IReadOnlyList<MountSpec>? Mounts { get; init; }

    /// <summary>Programs of the caller that run at points of the life cycle.</summary>
    public HookSet? Hooks { get; init; }

    /// <summary>Free metadata; pods and Kata options arrive here.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The Linux part.</summary>
    public LinuxSpec? Linux { get; init; }
}
