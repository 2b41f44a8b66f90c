namespace Kata.Storage;

/// <summary>Where a container finds one source of the host: a lease, from <see cref="SharedSources.Acquire"/>.</summary>
internal sealed class SharedPlace
{
    private readonly List<(string Place, SharedPlace Shared)> _within = []; // written under the gate of SharedSources

    internal SharedPlace(SharedSource source, SourceKey key, string path, bool writable) =>
        (Source, Key, Path, Writable) = (source, key, path, writable);

    /// <summary>Relative to the shared directory.</summary>
    public string Path { get; }

    /// <summary>
    /// What lies in it and was shared before on its own account: it must be mounted there again, or the guest would have two
    /// files where the host has one. In the order in which to mount them.
    /// </summary>
    public IReadOnlyList<(string Place, SharedPlace Shared)> Within => _within;

    internal SharedSource Source { get; }

    /// <summary>What was asked for.</summary>
    internal SourceKey Key { get; }

    internal bool Writable { get; }

    internal void AddWithin(string place, SharedPlace shared) => _within.Add((place, shared));
}
