using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Storage;

/// <summary>
/// A copy of a volume with all that is mounted below it, which the kernel keeps up to date: what the host mounts there or takes away, it
/// mounts here or takes away. Nothing is ever opened in it, so that it is in nobody's way.
/// </summary>
internal sealed class PropagatedVolume : IDisposable
{
    private readonly DetachedMount _tree;

    private PropagatedVolume(string directory, DetachedMount tree) => (Directory, _tree) = (directory, tree);

    /// <summary>Where it is, in the service's private mount namespace.</summary>
    public string Directory { get; }

    /// <summary>Copies the volume at <paramref name="path"/> of <paramref name="mountNamespace"/>.</summary>
    /// <param name="path">A directory.</param>
    /// <param name="directory">An empty one, where no daemon sees it. The caller's, to be removed after the disposal.</param>
    /// <param name="mountNamespace">See <see cref="HostMounts.Open"/>.</param>
    /// <returns>Null when the host's mount is private: then nothing can come.</returns>
    public static PropagatedVolume? Open(string path, string directory, SafeFileDescriptor? mountNamespace)
    {
        DetachedMount? tree = NamespaceThread.RunIn(mountNamespace, "the pod's caller", () =>
        {
            using SafeFileDescriptor file = LinuxException.ThrowIfInvalid(
                LibC.open(path, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", $"open '{path}'");
            ulong mount = FileStatus.Of(file).MountId;
            return MountInfo.Read().Any(item => item.Id == mount && item.IsReached) ? DetachedMount.Of(file, recursive: true) : null;
        });
        if (tree is null)
        {
            return null;
        }

        try
        {
            tree.SetPropagation(MountFlags.MS_SLAVE, recursive: true);
            tree.AttachTo(directory);
            return new PropagatedVolume(directory, tree);
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    /// <summary>What is mounted below it now: enough to see whether that has changed.</summary>
    public IReadOnlyList<ulong> MountIds(IEnumerable<MountInfo> mounts) =>
        [.. mounts.Where(mount => mount.MountPoint.StartsWith(Directory + "/", StringComparison.Ordinal)).Select(static mount => mount.Id)];

    /// <summary>Copies what is mounted below it. The copies are the caller's.</summary>
    public IReadOnlyList<HostSource> OpenBelow()
    {
        IReadOnlyList<HostSource> sources = HostMounts.Open(Directory, recursive: true, [], null);
        sources[0].Dispose();
        return [.. sources.Skip(1)];
    }

    public void Dispose()
    {
        _ = LibC.umount2(Directory, LibC.MNT_DETACH | LibC.UMOUNT_NOFOLLOW); // it ends with the service in any case
        _tree.Dispose();
    }
}
