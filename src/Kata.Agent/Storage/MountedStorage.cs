using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>A storage that is one mount, of a file system without a device of the guest's.</summary>
/// <param name="path">Where it is mounted; taken from <paramref name="points"/>.</param>
/// <param name="points">Owns the directory.</param>
/// <param name="holders">Finds out who has the file system besides; null for one that is the guest's own, and never alone.</param>
internal sealed class MountedStorage(string path, MountPoints points, MountHolders? holders) : IAttachedStorage
{
    public string Device => "";

    public Task RemoveAsync() => WaitingThread.RunAsync("storage", () =>
    {
        holders?.RefuseOthers(path);
        SharedSubmounts.Drain(path);
        if (LibC.umount2(path, LibC.UMOUNT_NOFOLLOW) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("umount2", $"unmount '{path}'");
            throw error.Errno == Errno.EBUSY ? MountHolders.InUse(path) : error;
        }

        points.Release(path);
    });

    public Task<string?> DetachAsync() => Task.FromResult(Detach());

    /// <summary>Detaches a mount; false when the kernel refused.</summary>
    public static bool TryDetach(string path) => LibC.umount2(path, LibC.MNT_DETACH | LibC.UMOUNT_NOFOLLOW) == 0;

    /// <inheritdoc cref="DetachAsync"/>
    public string? Detach()
    {
        SharedSubmounts.Drain(path);
        if (!TryDetach(path))
        {
            return path;
        }

        points.Release(path);
        return null;
    }
}
