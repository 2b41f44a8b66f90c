using Kata.Linux;

namespace Kata.Storage;

/// <summary>
/// One mount of the host as a bind mount finds it: a directory or a file, without what is mounted below it. Owns the copy.
/// </summary>
internal sealed class HostSource(DetachedMount tree, SourceKey key, FileStatus status, bool readOnly, string place) : IDisposable
{
    /// <summary>The copy, attached nowhere.</summary>
    public DetachedMount Tree { get; } = tree;

    public SourceKey Key { get; } = key;

    public FileStatus Status { get; } = status;

    /// <summary>Nobody can write through this mount, whatever the container asks for.</summary>
    public bool ReadOnly { get; } = readOnly;

    /// <summary>Relative to what was opened: empty for that itself, else where this is mounted below it.</summary>
    public string Place { get; } = place;

    public void Dispose() => Tree.Dispose();
}
