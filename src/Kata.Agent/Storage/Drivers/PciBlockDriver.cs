using Kata.Agent.Devices;

namespace Kata.Agent.Storage.Drivers;

/// <summary>A disk of virtio on the PCI bus; the source is its place there.</summary>
internal sealed class PciBlockDriver(BlockAttacher attacher) : IStorageDriver
{
    public string Name => "blk";

    public Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken) =>
        attacher.AttachAsync(storage, BlockDeviceName.OfPci, cancellationToken);
}
