namespace Kata.Storage;

/// <summary>The two programs named virtiofsd; their arguments differ.</summary>
internal enum VirtioFsDaemonKind
{
    /// <summary>The one that came with QEMU before version 8; Debian 12's.</summary>
    C,

    /// <summary>Its successor, https://gitlab.com/virtio-fs/virtiofsd; Debian 13's.</summary>
    Rust,
}
