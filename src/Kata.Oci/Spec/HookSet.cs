namespace Kata.Oci;

/// <summary>The hooks of a container, each list run in order.</summary>
public sealed record HookSet : OciObject
{
    /// <summary>Deprecated: after the namespaces exist and before the user's program starts, on the host.</summary>
    public IReadOnlyList<HookSpec>? Prestart { get; init; }

    /// <summary>At create, after the namespaces exist and before the root is pivoted, on the host.</summary>
    public IReadOnlyList<HookSpec>? CreateRuntime { get; init; }

    /// <summary>At create, in the container's namespaces, before the root is pivoted.</summary>
    public IReadOnlyList<HookSpec>? CreateContainer { get; init; }

    /// <summary>At start, in the container, before the user's program.</summary>
    public IReadOnlyList<HookSpec>? StartContainer { get; init; }

    /// <summary>After the user's program has started, on the host.</summary>
    public IReadOnlyList<HookSpec>? Poststart { get; init; }

    /// <summary>After the container is deleted, on the host.</summary>
    public IReadOnlyList<HookSpec>? Poststop { get; init; }
}
