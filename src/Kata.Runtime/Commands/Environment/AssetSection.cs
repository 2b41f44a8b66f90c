namespace Kata.Runtime.Commands;

/// <summary>One file that a guest is booted from. A table of <c>kata-env</c>; the spelling of names is Kata's schema.</summary>
internal sealed record AssetSection(string Path, string Parameters);
