namespace Kata.Runtime.Commands;

/// <summary>The schema of the document itself. A table of <c>kata-env</c>; the spelling of names is Kata's schema.</summary>
internal sealed record MetaSection(string Version);
