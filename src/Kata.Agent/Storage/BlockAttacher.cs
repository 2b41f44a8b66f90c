using Kata.Agent.Devices;

namespace Kata.Agent.Storage;

/// <summary>What the drivers of block devices share: it waits for the device, and mounts it where the storage has a mount point.</summary>
internal sealed class BlockAttacher(BlockDeviceFinder finder, MountPoints points, IBlockMounts mounts, MountHolders holders)
{
    private readonly DevicesInUse _devices = new();

    /// <summary>For this guest's kernel.</summary>
    public static BlockAttacher Create(BlockDeviceFinder finder, MountPoints points) =>
        new(finder, points, new KernelBlockMounts(), MountHolders.OfThisGuest);

    /// <param name="storage">What the host asks for.</param>
    /// <param name="bySource">What the source names when no driver option names the device.</param>
    /// <param name="cancellationToken">Nobody wants it any more.</param>
    public async Task<IAttachedStorage> AttachAsync(
        Protocol.Storage storage, Func<string, BlockDeviceName> bySource, CancellationToken cancellationToken)
    {
        var name = BlockDeviceName.Of(storage.DriverOptions, storage.Source, bySource);
        var mount = BlockMount.Of(storage);
        string device = await finder.FindAsync(name, cancellationToken);
        _devices.Take(device);
        var attached = new BlockStorage(device, _devices, mount, points, mounts, holders);
        try
        {
            await attached.MountAsync();
        }
        catch
        {
            _devices.Release(device);
            throw;
        }

        if (cancellationToken.IsCancellationRequested)
        {
            await attached.DetachAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }

        return attached;
    }
}
