namespace Kata.Hypervisor;

/// <summary>
/// A directory that a vhost-user daemon serves to the guest (virtio-fs). Its descriptor is a socket connected to the daemon.
/// </summary>
/// <param name="Id">Its name.</param>
/// <param name="Tag">The name the guest mounts it by, 1 to <see cref="MaxTagBytes"/> bytes.</param>
internal sealed record FileShareDevice(DeviceId Id, string Tag) : Device(Id)
{
    /// <summary><c>tag</c> of <c>struct virtio_fs_config</c>, linux/virtio_fs.h, with its final NUL as VMMs keep one.</summary>
    public const int MaxTagBytes = 35;

    public override DeviceKinds Kind => DeviceKinds.FileShare;

    public override int DescriptorCount => 1;
}
