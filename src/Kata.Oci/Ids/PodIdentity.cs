namespace Kata.Oci;

/// <summary>Which pod a container belongs to.</summary>
/// <param name="Kind">What part of the pod it is.</param>
/// <param name="SandboxId">
/// The pod it names; never null for <see cref="PodKind.PodContainer"/>. Null where the container's own id names the pod.
/// </param>
public sealed record PodIdentity(PodKind Kind, SandboxId? SandboxId);
