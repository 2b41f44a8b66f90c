using Kata.Agent.Devices;

namespace Kata.Agent.Storage;

/// <summary>What the drivers of block devices share: it waits for the device, and mounts it where the storage has a mount point.</summary>
internal sealed class BlockAttacher(BlockDeviceFinder finder, MountPoints points, IBlockMounts mounts, MountHolders holders)
{
    private const string Serial = "serial=";

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
        BlockDeviceName name = NameOf(storage, bySource);
        var mount = BlockMount.Of(storage);
        await WaitingThread.RunAsync("storage", mounts.RequireDriver);
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

    /// <summary>What a storage names its device by.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: by nothing that there is.</exception>
    internal static BlockDeviceName NameOf(Protocol.Storage storage, Func<string, BlockDeviceName> bySource)
    {
        if (storage.DriverOptions.FirstOrDefault(static option => !option.StartsWith(Serial, StringComparison.Ordinal)) is { } unknown)
        {
            throw AgentException.Invalid(
                $"Cannot use the driver option '{unknown}' for a block device: it is unknown. There is '{Serial}TEXT', the device's serial number");
        }

        return storage.DriverOptions.Count switch
        {
            0 => bySource(storage.Source),
            1 => BlockDeviceName.OfSerial(storage.DriverOptions[0][Serial.Length..]),
            _ => throw AgentException.Invalid($"Cannot find a block device by {storage.DriverOptions.Count} serial numbers. Give one"),
        };
    }
}
