using GuestMount = Kata.Agent.Protocol.Oci.Mount;

namespace Kata.Sandbox;

/// <summary>One mount of a container.</summary>
/// <param name="Guest">For the guest's runtime. Without a source when <paramref name="Shared"/> has yet to give it one.</param>
/// <param name="IsDirectory">Else a file of the guest's. Of what is shared it is not known before it is opened.</param>
/// <param name="Shared">What of the host's it shows, or null.</param>
internal sealed record PlannedMount(GuestMount Guest, bool IsDirectory, SharedMount? Shared);
