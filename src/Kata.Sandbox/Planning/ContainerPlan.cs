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

    public required ContainerRoot Root { get; init; }

    /// <summary>In the order of the specification.</summary>
    public required IReadOnlyList<PlannedMount> Mounts { get; init; }

    /// <summary>
    /// The reduced specification: what the guest's runtime carries out, but for its mounts and the place of its root file system.
    /// </summary>
    public required Spec GuestSpec { get; init; }

    /// <summary>What the common protocol has no place for.</summary>
    public required ContainerExtension Extension { get; init; }

    /// <summary>Where the container says that it is ready, or null.</summary>
    public NotifySocket? Notify { get; init; }

    /// <summary>What the specification asks for and this runtime does not do; one sentence each, for the log.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Whether it only holds the pod's namespaces.</summary>
    public bool IsPodSandbox => PodAnnotations.Identify(Bundle.Spec.Annotations).Kind == PodKind.PodSandbox;

    public bool Terminal => Bundle.Spec.Process?.Terminal ?? false;

    /// <summary>The same with what its process has where the specification names no limit.</summary>
    public ContainerPlan WithCallerLimits(IReadOnlyList<ResourceLimit> limits)
    {
        ContainerExtension extension = Extension.Clone();
        extension.Process?.InheritedLimits.Add(GuestExtensionBuilder.Limits(limits));
        return this with { Extension = extension };
    }

    /// <summary>The same for a caller whose own terminal puts the carriage return before a newline, where a process has one.</summary>
    public ContainerPlan WithPlainNewlines(bool plain)
    {
        ContainerExtension extension = Extension.Clone();
        extension.Process?.PlainNewlines = plain;
        return this with { Extension = extension };
    }

    /// <summary>The whole specification for the guest, once its files are there.</summary>
    public Spec GuestSpecIn(ContainerFiles files)
    {
        Spec spec = GuestSpec.Clone();
        spec.Root.Path = files.RootFs;
        spec.Mounts.AddRange(files.Mounts);
        return spec;
    }
}
