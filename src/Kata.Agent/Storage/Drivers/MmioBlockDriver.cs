using Kata.Agent.Devices;

namespace Kata.Agent.Storage.Drivers;

/// <summary>A disk of a machine without a PCI bus; the source is the guest's name of it, which such a machine can foretell.</summary>
internal sealed class MmioBlockDriver(BlockAttacher attacher) : IStorageDriver
{
    public string Name => "mmioblk";

    public Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken) =>
        attacher.AttachAsync(storage, BlockDeviceName.OfNode, cancellationToken);
}
