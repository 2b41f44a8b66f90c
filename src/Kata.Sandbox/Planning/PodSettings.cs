using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// What is asked of a pod that no container of its own stands for: its machine is made from this, and its containers get from it what an
/// engine otherwise takes from the pod's own container. Pure.
/// </summary>
internal sealed record PodSettings
{
    /// <summary>What containerd gives a pod as <c>/dev/shm</c>.</summary>
    private const long SharedMemoryBytes = 64L << 20;

    private static readonly string[] s_fileNames = ["hostname", "hosts", "resolv.conf"];

    public required SandboxId Id { get; init; }

    /// <summary>Empty to take the host's, as a pod in the host's network has.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>The lines of <c>resolv.conf</c>; none to take the host's.</summary>
    public IReadOnlyList<string> ResolverLines { get; init; } = [];

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();

    /// <summary>What the containers may use together.</summary>
    public LinuxResources Resources { get; init; } = new();

    /// <summary>As in a specification; null when the caller has no wish.</summary>
    public string? CgroupsPath { get; init; }

    /// <summary>Whether it asks for the host's network.</summary>
    public bool IsInHostNetwork { get; init; }

    /// <summary>Whether its containers see each other's processes.</summary>
    public bool SharesPidNamespace { get; init; }

    /// <summary>What <see cref="SandboxPlanner"/> takes the machine from.</summary>
    public RuntimeSpec ToSpec() => new()
    {
        OciVersion = "1.0.2",
        Hostname = Hostname,
        Annotations = Annotations,
        Linux = new LinuxSpec { Resources = Resources, CgroupsPath = CgroupsPath },
    };

    /// <summary>The pod's memory for <c>/dev/shm</c>, known by a path below <paramref name="directory"/> at which nothing is.</summary>
    public static SharedMemory SharedMemoryIn(string directory) => new(Path.Combine(directory, "shm"), SharedMemoryBytes);

    /// <summary>The files that containers find below <c>/etc</c> unless their engine gives them others.</summary>
    /// <param name="directory">The path below which mounts name them.</param>
    /// <param name="hostname">The host's name.</param>
    /// <param name="hosts">The host's <c>/etc/hosts</c>.</param>
    /// <param name="resolver">The host's <c>/etc/resolv.conf</c>.</param>
    public IReadOnlyList<GuestFile> Files(string directory, string hostname, string hosts, string resolver)
    {
        return
        [
            File("hostname", (Hostname.Length > 0 ? Hostname : hostname) + "\n"),
            File("hosts", hosts),
            File("resolv.conf", ResolverLines.Count > 0 ? string.Concat(ResolverLines.Select(static line => line + "\n")) : resolver),
        ];

        GuestFile File(string name, string text) => new(Path.Combine(directory, name), GuestPaths.PodFile(name), text);
    }

    /// <summary>A container's specification with what it gets from the pod.</summary>
    /// <param name="spec">As the engine wrote it; what it says itself stays.</param>
    /// <param name="directory">As for <see cref="Files"/> and <see cref="SharedMemoryIn"/>.</param>
    public RuntimeSpec Complete(RuntimeSpec spec, string directory)
    {
        var mounts = new List<MountSpec>((spec.Mounts ?? []).Where(mount => !IsVacant(mount)));
        string access = spec.Root?.Readonly ?? false ? "ro" : "rw";
        foreach (string name in s_fileNames)
        {
            if (!mounts.Exists(mount => mount.Destination == $"/etc/{name}"))
            {
                mounts.Add(BindMount($"/etc/{name}", Path.Combine(directory, name), "rbind", "rprivate", access));
            }
        }

        // Whoever is in the pod's ipc namespace shares its memory too; an engine's own tmpfs there is what it gives single containers.
        bool sharesMemory = (spec.Linux?.Namespaces ?? []).Any(static space => space is { Type: "ipc", Path.Length: > 0 });
        int memory = mounts.FindIndex(static mount => mount.Destination.TrimEnd('/') == SharedMemory.Destination);
        if (sharesMemory && (memory < 0 || mounts[memory].Type == "tmpfs"))
        {
            mounts.RemoveAll(static mount => mount.Destination.TrimEnd('/') == SharedMemory.Destination);
            mounts.Add(BindMount(SharedMemory.Destination, SharedMemoryIn(directory).Source, "rbind", "rw"));
        }

        LinuxSpec linux = spec.Linux ?? new LinuxSpec();
        return spec with { Mounts = mounts, Linux = linux with { Sysctl = Settings(linux) } };
    }

    private static MountSpec BindMount(string destination, string source, params string[] options) =>
        new() { Destination = destination, Type = "bind", Source = source, Options = options };

    // containerd 1.7 mounts what it has made for a pod with a container of its own. For others it has made nothing but empty directories.
    private bool IsVacant(MountSpec mount) =>
        mount.Source?.EndsWith($"/sandboxes/{Id}/{Path.GetFileName(mount.Destination)}", StringComparison.Ordinal) ?? false;

    private Dictionary<string, string> Settings(LinuxSpec linux)
    {
        var result = new Dictionary<string, string>(linux.Sysctl ?? new Dictionary<string, string>());
        foreach ((string name, string value) in Sysctls)
        {
            result.TryAdd(name, value);
        }

        return result;
    }
}
