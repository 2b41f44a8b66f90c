namespace Kata.Sandbox;

/// <summary>What a path on the host is, as stat(2) says after following links.</summary>
internal enum HostFileKind
{
    Missing,
    RegularFile,
    Directory,

    BlockDevice,

    /// <summary>The same, which the kernel lets nobody write to.</summary>
    ReadOnlyBlockDevice,

    /// <summary>A socket, fifo or other device: of no use through a shared file system.</summary>
    Special,
}
