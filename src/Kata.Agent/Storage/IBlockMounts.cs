using Kata.Linux;

namespace Kata.Agent.Storage;

/// <summary>What of the kernel the storages on block devices need.</summary>
internal interface IBlockMounts
{
    /// <summary>Has the kernel know a file system.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: it does not, and the image has no module for it.</exception>
    void RequireFileSystem(string type);

    /// <exception cref="LinuxException">The kernel refused.</exception>
    void Mount(string device, SafeFileDescriptor directory, BlockMount mount);

    /// <summary>Unmounts what is mounted on a directory, if nothing of this mount namespace uses it.</summary>
    /// <exception cref="LinuxException">EBUSY: something does.</exception>
    void Unmount(string path);

    /// <summary>Unmounts it whatever uses it; false when the kernel refused.</summary>
    bool TryDetach(string path);

    /// <summary>
    /// Whether somebody has claimed the device for himself, as every file system, swap and mapping does. Whoever only reads or writes its
    /// node has not; a device that is gone nobody has.
    /// </summary>
    bool IsClaimed(string device);
}
