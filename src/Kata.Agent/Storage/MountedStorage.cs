using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>A storage that is one mount.</summary>
/// <param name="path">Where it is mounted; taken from <paramref name="points"/>.</param>
/// <param name="points">Owns the directory.</param>
internal sealed class MountedStorage(string path, MountPoints points) : IAttachedStorage
{
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

    /// <summary>Detaches a mount; false when the kernel refused.</summary>
    public static bool TryDetach(string path) => LibC.umount2(path, LibC.MNT_DETACH | LibC.UMOUNT_NOFOLLOW) == 0;
}
