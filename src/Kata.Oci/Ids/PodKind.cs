namespace Kata.Oci;

/// <summary>What part of a pod a container is.</summary>
public enum PodKind
{
    /// <summary>No container manager speaks of pods: the container is alone in its own pod.</summary>
    SinglePod,

    /// <summary>The first container of a pod, whose process is only a placeholder (the pause container).</summary>
    PodSandbox,

    /// <summary>A container that joins a pod which exists.</summary>
    PodContainer,
}
