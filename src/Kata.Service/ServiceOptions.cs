using Kata.Configuration;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Service;

/// <summary>What a service process is started with.</summary>
internal sealed record ServiceOptions
{
    public required string Root { get; init; }

    public required SandboxId Sandbox { get; init; }

    public required ConfigurationSources Configuration { get; init; }

    /// <summary>The pod's lock, shared with our starter; given up when everything is recorded. Null when nobody holds one.</summary>
    public SafeFileDescriptor? PodLock { get; init; }

    /// <summary>The mount namespace of whoever started us, where bundles are.</summary>
    public SafeFileDescriptor? CallerMountNamespace { get; init; }

    /// <summary>The mask of file modes of whoever started us, or null where ours is the same.</summary>
    public uint? CallerUmask { get; init; }

    /// <summary>The environment of whoever wants the pod, as <c>NAME=value</c>; null where ours is the same.</summary>
    public IReadOnlyList<string>? CallerVariables { get; init; }

    /// <summary>The resource limits of whoever wants the pod; null where ours are the same.</summary>
    public IReadOnlyList<ResourceLimit>? CallerLimits { get; init; }

    /// <summary>The containerd that started us, or null.</summary>
    public ContainerdOptions? Containerd { get; init; }
}
