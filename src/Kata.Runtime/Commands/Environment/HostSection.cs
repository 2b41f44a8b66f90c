namespace Kata.Runtime.Commands;

/// <summary>The host and what it can do. A table of <c>kata-env</c>; the spelling of names is Kata's schema.</summary>
internal sealed record HostSection(
    string Kernel, string Architecture, string Distro, int CPUs, bool VMContainerCapable, bool SupportVSocks);
