namespace Kata.Storage;

/// <summary>Where a container finds one source of the host: a lease, from <see cref="SharedSources.Acquire"/>.</summary>
internal sealed class SharedPlace
{
    internal SharedPlace(SharedSource source, string path, bool writable) => (Source, Path, Writable) = (source, path, writable);

    /// <summary>Relative to the shared directory.</summary>
    public string Path { get; }

    /// <summary>
    /// What lies in it and was shared before on its own account: it must be mounted there again, or the guest would have two
    /// files where the host has one. In the order in which to mount them.
    /// </summary>
    public IReadOnlyList<(string Place, SharedPlace Shared)> Within { get; internal set; } = [];

    internal SharedSource Source { get; }

    internal bool Writable { get; }
}
