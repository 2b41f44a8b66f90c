namespace Kata.Storage;

/// <summary>The two programs named virtiofsd; their arguments differ.</summary>
internal enum VirtioFsDaemonKind
{
    /// <summary>The one that came with QEMU before version 8, in <c>/usr/lib/qemu/</c> on Debian 12.</summary>
    C,

    /// <summary>Its successor, https://gitlab.com/virtio-fs/virtiofsd.</summary>
    Rust,
}
