namespace Kata.Oci;

/// <summary>Reads from the annotations of a container manager which pod a container belongs to.</summary>
public static class PodAnnotations
{
    private static readonly Dialect[] s_dialects =
    [
        new("io.kubernetes.cri.container-type", "sandbox", "io.kubernetes.cri.sandbox-id"), // containerd
        new("io.kubernetes.cri-o.ContainerType", "sandbox", "io.kubernetes.cri-o.SandboxID"), // CRI-O
        new("io.kubernetes.docker.type", "podsandbox", "io.kubernetes.sandbox.id"), // dockershim
    ];

    /// <summary>
    /// Where they write a container's name: containerd and CRI-O for Kubernetes, nerdctl. Podman and docker write none. CRI-O has under
    /// ContainerName the name that is unique on the host.
    /// </summary>
    private static readonly string[] s_nameKeys =
        ["io.kubernetes.cri.container-name", "io.kubernetes.cri-o.ContainerName", "io.kubernetes.container.name", "nerdctl/name"];

    /// <summary>The first manager whose type annotation is present decides: containerd, CRI-O, dockershim.</summary>
    /// <param name="annotations">The annotations of the specification; null is the same as none.</param>
    /// <exception cref="InvalidSpecException">The type is unknown, or a container does not name its sandbox.</exception>
    public static PodIdentity Identify(IReadOnlyDictionary<string, string>? annotations)
    {
        foreach (Dialect dialect in s_dialects)
        {
            if (annotations is null || !annotations.TryGetValue(dialect.TypeKey, out string? type))
                continue;

            bool named = annotations.TryGetValue(dialect.SandboxKey, out string? id);
            if (type == dialect.SandboxType)
                return new PodIdentity(PodKind.PodSandbox, named ? SandboxId.Parse(id!) : null);

            if (type == "container")
            {
                return named
                    ? new PodIdentity(PodKind.PodContainer, SandboxId.Parse(id!))
                    : throw new InvalidSpecException(
                        Pointer(dialect.SandboxKey), "is missing", $"A container with '{dialect.TypeKey}' must name its sandbox there");
            }

            throw new InvalidSpecException(
                Pointer(dialect.TypeKey), $"holds {SpecText.Quote(type)}", $"It must be '{dialect.SandboxType}' or 'container'");
        }

        // podman from version 5 on says of a container which pod it is in, and of the pod's first one nothing.
        string? owner = s_dialects.Select(dialect => annotations?.GetValueOrDefault(dialect.SandboxKey))
            .FirstOrDefault(static id => id is not null);
        return owner is null ? new PodIdentity(PodKind.SinglePod, null) : new PodIdentity(PodKind.PodContainer, SandboxId.Parse(owner));
    }

    /// <summary>The names that container managers gave the container, apart from its id, as far as they write them down.</summary>
    /// <param name="annotations">The annotations of the specification; null is the same as none.</param>
    internal static IEnumerable<string> NamesOf(IReadOnlyDictionary<string, string>? annotations) =>
        s_nameKeys.Select(key => annotations?.GetValueOrDefault(key)).OfType<string>()
            .Where(static name => name.Length > 0)
            .Distinct(StringComparer.Ordinal);

    private static string Pointer(string key) => $"/annotations/{key}"; // none of the keys needs escaping

    private sealed record Dialect(string TypeKey, string SandboxType, string SandboxKey);
}
