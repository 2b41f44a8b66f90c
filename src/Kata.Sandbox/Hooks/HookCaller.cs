using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>On whose behalf hooks run: what they would find if that process ran them.</summary>
internal sealed record HookCaller
{
    /// <summary>Where hook paths are resolved and hooks run; null for our own. The caller keeps it.</summary>
    public SafeFileDescriptor? MountNamespace { get; init; }

    /// <summary>The environment of a hook that names none, as <c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Variables { get; init; } = [];

    /// <summary>The mask of its files' modes; null for our own.</summary>
    public uint? Umask { get; init; }
}
