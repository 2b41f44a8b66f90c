namespace Kata.Runtime.Commands;

/// <summary>The runtime, and the configuration it would use. A table of <c>kata-env</c>; the spelling of names is Kata's schema.</summary>
internal sealed record RuntimeSection(string Version, string Commit, string OCI, string ConfigPath, string Path, bool DisableGuestSeccomp);
