namespace Kata.Runtime.Commands;

/// <summary>The guest's kernel. A table of <c>kata-env</c>; the spelling of names is Kata's schema.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Parameters">What the configuration adds to its command line.</param>
/// <param name="Version">Its release as the file says it, or nothing when it does not.</param>
internal sealed record KernelSection(string Path, string Parameters, string Version);
