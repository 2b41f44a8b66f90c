using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Oci;
using Spec = Kata.Agent.Protocol.Oci.Spec;

namespace Kata.Sandbox;

/// <summary>Everything that one container needs, decided before anything is made.</summary>
internal sealed record ContainerPlan
{
    public required ContainerId Id { get; init; }

    public required Bundle Bundle { get; init; }

    /// <summary>The root file system, then the bind mounts, in the order they are made.</summary>
    public required IReadOnlyList<SharedMount> SharedMounts { get; init; }

    /// <summary>The reduced specification: what the guest's runtime carries out.</summary>
    public required Spec GuestSpec { get; init; }

    /// <summary>What the common protocol has no place for.</summary>
    public required ContainerExtension Extension { get; init; }

    /// <summary>A user named instead of numbered, resolved in the guest, or null.</summary>
    public StringUser? User { get; init; }

    /// <summary>What the specification asks for and this runtime does not do; one sentence each, for the log.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Whether it only holds the pod's namespaces.</summary>
    public bool IsPodSandbox => PodAnnotations.Identify(Bundle.Spec.Annotations).Kind == PodKind.PodSandbox;

    public bool Terminal => Bundle.Spec.Process?.Terminal ?? false;

    /// <summary>The same with a root file system that is still to be mounted.</summary>
    public ContainerPlan WithRootFs(IReadOnlyList<FileSystemMount> mounts) =>
        this with { SharedMounts = [SharedMounts[0] with { Mounts = mounts }, .. SharedMounts.Skip(1)] };
}
