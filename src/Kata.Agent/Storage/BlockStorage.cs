using Kata.Linux;

namespace Kata.Agent.Storage;

/// <summary>A block device, with its file system mounted unless it is left as a device.</summary>
/// <param name="device">Its node; taken from <paramref name="devices"/>.</param>
/// <param name="devices">Those that storages have.</param>
/// <param name="mount">How it is mounted; null for one that is left as a device.</param>
/// <param name="points">Owns the directory.</param>
/// <param name="mounts">The kernel.</param>
/// <param name="holders">Finds out who has the file system besides.</param>
internal sealed class BlockStorage(
    string device, DevicesInUse devices, BlockMount? mount, MountPoints points, IBlockMounts mounts, MountHolders holders)
    : IAttachedStorage
{
    private BlockMount? _mount = mount; // null also when it could not be mounted again

    public string Device => device;

    /// <summary>Once, before all other calls. Of a failure nothing is left.</summary>
    public Task MountAsync() => _mount is null ? Task.CompletedTask : WaitingThread.RunAsync("storage", () =>
    {
        mounts.RequireFileSystem(_mount.Type);
        BlockMountPoint.CheckWay(_mount.Path);
        points.TakeAlone(_mount.Path);
        try
        {
            using SafeFileDescriptor directory = BlockMountPoint.OpenEmpty(_mount.Path);
            Mount(directory);
        }
        catch
        {
            points.Release(_mount.Path);
            throw;
        }
    });

    public Task RemoveAsync() => WaitingThread.RunAsync("storage", () =>
    {
        if (_mount is null)
        {
            if (mounts.IsClaimed(device))
            {
                throw Claimed("");
            }

            devices.Release(device);
            return;
        }

        holders.RefuseOthers(_mount.Path);
        try
        {
            mounts.Unmount(_mount.Path);
        }
        catch (LinuxException error) when (error.Errno == Errno.EBUSY)
        {
            throw MountHolders.InUse(_mount.Path);
        }

        // Whoever holds the file system without a mount that can be seen, such as a file open in a mount that was detached, has the disk
        // still. A mount of it that is made again is the same file system.
        if (mounts.IsClaimed(device))
        {
            throw MountAgain();
        }

        points.Release(_mount.Path);
        devices.Release(device);
    });

    public Task<string?> DetachAsync() => WaitingThread.RunAsync("storage", () =>
    {
        if (_mount is not null)
        {
            if (!mounts.TryDetach(_mount.Path))
            {
                return _mount.Path;
            }

            points.Release(_mount.Path);
        }

        devices.Release(device);
        return null;
    });

    private Grpc.Core.RpcException Claimed(string state) => AgentException.WrongState(
        $"Cannot remove the storage on '{device}': something in the guest holds the device{state}. "
        + "End what has files of it open, or its own mount, mapping or swap on it");

    private Grpc.Core.RpcException MountAgain()
    {
        string state = "";
        try
        {
            using SafeFileDescriptor directory = BlockMountPoint.OpenDirectory(_mount!.Path);
            mounts.Mount(device, directory, _mount);
        }
        catch (Exception error) when (error is LinuxException or Grpc.Core.RpcException)
        {
            state = $", and it could not be mounted again on '{_mount!.Path}' ({ErrorText.CauseOf(error)})";
            points.Release(_mount.Path);
            _mount = null;
        }

        return Claimed(state);
    }

    private void Mount(SafeFileDescriptor directory)
    {
        try
        {
            mounts.Mount(device, directory, _mount!);
        }
        catch (LinuxException error)
        {
            throw _mount!.Explain(error, device);
        }
    }
}
