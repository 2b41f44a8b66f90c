using Kata.Agent.Storage.Drivers;

namespace Kata.Agent.Storage;

/// <summary>The drivers of this agent, by name.</summary>
internal sealed class StorageDrivers(params IStorageDriver[] drivers)
{
    /// <summary>As the guest's details offer them.</summary>
    public IEnumerable<string> Names => drivers.Select(static driver => driver.Name);

    /// <summary>All that there are.</summary>
    public static StorageDrivers Create()
    {
        var points = new MountPoints();
        var mounter = new PlainMounter(points);
        return new StorageDrivers(
            new VirtioFsDriver(mounter), new NinePDriver(mounter), new EphemeralDriver(mounter), new LocalDriver(), new BindDriver(mounter), new OverlayDriver(mounter));
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
