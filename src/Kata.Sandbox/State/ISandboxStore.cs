using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Where what is known of pods is kept, for whoever looks after them. What a pod holds on the host is in its journal, always a local file.
/// </summary>
internal interface ISandboxStore
{
    /// <summary>Replaces what is known of a pod. A reader sees the old document or the new one.</summary>
    /// <exception cref="IOException">It could not be kept; the old one stands.</exception>
    void Save(SandboxState state);

    /// <summary>What is known of a pod, or null.</summary>
    /// <exception cref="InvalidDataException">It is not one of ours, or of a later version.</exception>
    SandboxState? Load(SandboxId sandbox);
}
