namespace Kata.Sandbox;

/// <summary>A file of the pod that only the guest has: what a guest writes into it costs the host nothing.</summary>
/// <param name="Source">The path by which mounts name it; on the host nothing is there.</param>
/// <param name="Path">Where it is in the guest.</param>
/// <param name="Text">What is in it when the pod begins.</param>
internal sealed record GuestFile(string Source, string Path, string Text);
