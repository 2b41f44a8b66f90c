namespace Kata.Hypervisor;

/// <summary>A directory that a vhost-user daemon serves to the guest.</summary>
/// <param name="Tag">The name the guest mounts it by, at most 35 bytes (struct virtio_fs_config, linux/virtio_fs.h).</param>
internal sealed record SharedFilesystem(string Tag);
