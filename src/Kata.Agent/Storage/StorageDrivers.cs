using Kata.Agent.Devices;
using Kata.Agent.Storage.Drivers;

namespace Kata.Agent.Storage;

/// <summary>The drivers of this agent, by name.</summary>
internal sealed class StorageDrivers(params IStorageDriver[] drivers)
{
    /// <summary>As the guest's details offer them.</summary>
    public IEnumerable<string> Names => drivers.Select(static driver => driver.Name);

    /// <summary>All that there are.</summary>
    public static StorageDrivers Create(BlockDeviceFinder finder)
    {
        var points = new MountPoints();
        var mounter = new PlainMounter(points, MountHolders.OfThisGuest);
        var blocks = BlockAttacher.Create(finder, points);
        return new StorageDrivers(
            new VirtioFsDriver(mounter), new NinePDriver(mounter), new EphemeralDriver(mounter), new LocalDriver(), new BindDriver(mounter),
            new OverlayDriver(mounter), new PciBlockDriver(blocks), new MmioBlockDriver(blocks));
    }

    /// <inheritdoc cref="IStorageDriver.AttachAsync"/>
    /// <exception cref="Grpc.Core.RpcException">Unimplemented: there is no such driver.</exception>
    public Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken)
    {
        IStorageDriver driver = Array.Find(drivers, item => item.Name == storage.Driver) ?? throw AgentException.Missing(
            $"Cannot mount the storage '{storage.Source}': this agent has no driver '{storage.Driver}'. It has {string.Join(", ", Names)}");
        return driver.AttachAsync(storage, cancellationToken);
    }
}
