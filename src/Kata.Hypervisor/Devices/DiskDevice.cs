namespace Kata.Hypervisor;

/// <summary>
/// A raw image or a block device of the host as a virtio disk. Its descriptor is the file, opened for reading or, without
/// <see cref="ReadOnly"/>, for both. The guest finds it by <see cref="Serial"/>, which is its id.
/// </summary>
/// <param name="Id">Its name, at most <see cref="MaxSerialBytes"/> bytes.</param>
/// <param name="ReadOnly">The VMM refuses writes, whatever the guest does.</param>
/// <param name="IsBlockDevice">Whether the file is a block device (<c>S_ISBLK</c>), and not a regular file.</param>
internal sealed record DiskDevice(DeviceId Id, bool ReadOnly, bool IsBlockDevice) : Device(Id)
{
    /// <summary><c>VIRTIO_BLK_ID_BYTES</c>, linux/virtio_blk.h.</summary>
    public const int MaxSerialBytes = 20;

    /// <summary>What the guest reads in <c>/sys/block/NAME/serial</c>.</summary>
    public string Serial => Id.Value;

    public override DeviceKinds Kind => DeviceKinds.Disk;

    public override int DescriptorCount => 1;
}
