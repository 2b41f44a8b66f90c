namespace Kata.Sandbox;

/// <summary>What a path on the host is, as stat(2) says after following links.</summary>
internal enum HostFileKind
{
    Missing,
    RegularFile,
    Directory,

    /// <summary>A socket, fifo or device: of no use through a shared file system.</summary>
    Special,
}
