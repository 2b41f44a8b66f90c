namespace Kata.Linux;

/// <summary>What a jailed process can see and be. Pure data, except for the open files. See <see cref="Jail"/>.</summary>
internal sealed record JailOptions
{
    /// <summary>An existing directory that the new root is built on; nothing of it is visible on the host or left afterwards.</summary>
    public required string MountPoint { get; init; }

    /// <summary>
    /// Directories and files of the host, visible under the same path, read-only, with the mounts below them left out. Those that
    /// do not exist, or are links, are skipped.
    /// </summary>
    public IReadOnlyList<string> ReadOnlyPaths { get; init; } = [];

    /// <summary>
    /// Open files or directories of the host by their name in the new root (<c>kernel</c>), read-only. The caller keeps them.
    /// </summary>
    public IReadOnlyDictionary<string, SafeFileDescriptor> Files { get; init; } = new Dictionary<string, SafeFileDescriptor>();

    /// <summary>Whether a <c>/dev/kvm</c> that only this user may open is made.</summary>
    public bool WithKvm { get; init; }

    /// <summary>Device nodes.</summary>
    public IReadOnlyList<JailDevice> Devices { get; init; } = [];

    /// <summary>Symbolic links, by their absolute paths, and what they say. Where they lead, nothing has to be.</summary>
    public IReadOnlyDictionary<string, string> Links { get; init; } = new Dictionary<string, string>();

    public required uint UserId { get; init; }

    public required uint GroupId { get; init; }
}
