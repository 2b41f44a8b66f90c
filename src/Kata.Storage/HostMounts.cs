using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Storage;

/// <summary>Copies mounts of the host. A copy is attached nowhere: it ends with its descriptor and cannot be left behind.</summary>
internal static class HostMounts
{
    /// <summary>
    /// Copies what is at <paramref name="path"/>, as it is once <paramref name="mounts"/> are made there: the mount at the path first,
    /// then, when <paramref name="recursive"/>, each that is visible below it, those above before those below. Paths are those of
    /// <paramref name="mountNamespace"/> (a descriptor of <c>/proc/PID/ns/mnt</c>), or of the caller's own. The caller owns the copies.
    /// </summary>
    /// <exception cref="LinuxException">A mount cannot be made or copied; none is left.</exception>
    public static IReadOnlyList<HostSource> Open(
        string path, bool recursive, IReadOnlyList<FileSystemMount> mounts,
        SafeFileDescriptor? mountNamespace) => NamespaceThread.RunIn(mountNamespace, "the pod's caller", () =>
    {
        if (mounts.Count > 0)
        {
            // The namespace goes with this thread, and its mounts with it; the copies that are returned stay.
            LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_NEWNS), "unshare", $"make a mount namespace for '{path}'");
            LinuxException.ThrowIfNegative(
                LibC.mount(null, "/", null, MountFlags.MS_REC | MountFlags.MS_PRIVATE, null), "mount", "make the mounts private");
            foreach (FileSystemMount mount in mounts)
            {
                Make(mount, path);
            }
        }

        return Copy(path, recursive);
    });

    /// <summary>
    /// Shows the files of a copy with other owners. It is another source then: what has other owners must not share a page cache.
    /// </summary>
    /// <param name="source">Belongs to the result from here on.</param>
    /// <param name="path">The host's, for the error.</param>
    /// <param name="map">How.</param>
    /// <param name="userNamespace">Its <see cref="MountIdMap.OpenNamespace"/>.</param>
    /// <exception cref="LinuxException">Its file system cannot be mapped, or it is mapped already.</exception>
    public static HostSource Map(HostSource source, string path, MountIdMap map, SafeFileDescriptor userNamespace)
    {
        try
        {
            source.Tree.SetIdMap(userNamespace);
        }
        catch (LinuxException error) when (error.Errno is Errno.EINVAL or Errno.EPERM)
        {
            throw new LinuxException(
                error.Call, $"map the ids of '{path}'", error.Errno,
                "The host's kernel maps none on its file system, or they are mapped already: "
                    + "remove the mapping, and give the files the owners that the container needs");
        }

        SourceKey mapped = source.Key with { FileSystem = $"{source.Key.FileSystem} {map.Users}/{map.Groups}" };
        return new HostSource(source.Tree, mapped, source.Status, source.ReadOnly, source.Place);
    }

    private static List<HostSource> Copy(string path, bool recursive)
    {
        var sources = new List<HostSource>();
        try
        {
            using SafeFileDescriptor file = LinuxException.ThrowIfInvalid(
                LibC.open(path, LibC.O_PATH | LibC.O_CLOEXEC, 0), "open", $"open '{path}'");
            IReadOnlyList<MountInfo> mounts = MountInfo.Read();
            var status = FileStatus.Of(file);
            string real = File.ResolveLinkTarget($"/proc/thread-self/fd/{file.Number}", returnFinalTarget: false)!.FullName;
            sources.Add(new HostSource(
                DetachedMount.Of(file, recursive: false), KeyOf(real, status, mounts), status,
                mounts.Any(mount => mount.Id == status.MountId && mount.ReadOnly), ""));
            if (recursive && status.IsDirectory)
            {
                CopyBelow(real == "/" ? real : real + "/", mounts, sources);
            }

            return sources;
        }
        catch
        {
            sources.ForEach(static source => source.Dispose());
            throw;
        }
    }

    // mountinfo lists a mount before those on it. One that another hides, or that leads to nothing that can be shared, is not to be seen.
    private static void CopyBelow(string above, IReadOnlyList<MountInfo> mounts, List<HostSource> sources)
    {
        foreach (MountInfo mount in mounts.Where(mount => mount.MountPoint.StartsWith(above, StringComparison.Ordinal)))
        {
            using SafeFileDescriptor file = LibC.open(mount.MountPoint, LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0);
            FileStatus status = file.IsInvalid ? default : FileStatus.Of(file);
            if (status.MountId != mount.Id || !(status.IsDirectory || status.IsRegularFile))
            {
                continue;
            }

            try
            {
                sources.Add(new HostSource(
                    DetachedMount.Of(file, recursive: false), new SourceKey(FileSystemOf(mount), mount.Root), status, mount.ReadOnly,
                    mount.MountPoint[above.Length..]));
            }
            catch (LinuxException error) when (error.Errno is Errno.EINVAL)
            {
                // mount_namespaces(7): an unbindable mount is left out of a recursive bind.
            }
        }
    }

    private static SourceKey KeyOf(string real, FileStatus status, IReadOnlyList<MountInfo> mounts)
    {
        MountInfo? mount = mounts.FirstOrDefault(mount => mount.Id == status.MountId);
        string? below = mount is null ? null : new SourceKey("", mount.MountPoint).PathTo(new SourceKey("", real));
        // Without a name that mountinfo knows it is like nothing else: a path of a file system never begins with its numbers.
        return mount is null || below is null
            ? new SourceKey("", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{status.Device}:{status.Inode}"))
            : new SourceKey(FileSystemOf(mount), below.Length == 0 ? mount.Root : Path.Combine(mount.Root, below));
    }

    // Through a mount that the host has mapped, files have other owners: it is a file system of its own.
    private static string FileSystemOf(MountInfo mount) =>
        mount.IdMapped
            ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{mount.FileSystem} {mount.Id}")
            : mount.FileSystem;

    private static void Make(FileSystemMount mount, string path)
    {
        string target = mount.Target.Length == 0 ? path : Path.Combine(path, mount.Target.TrimStart('/'));
        bool isImage = MountOptions.HasLoop(mount.Options);
        (MountFlags flags, string? data) = MountOptions.Parse(MountOptions.WithoutLoop(mount.Options));
        if (mount.Type == "bind")
        {
            flags |= MountFlags.MS_BIND;
        }

        if (mount.Type == "overlay" && data is not null)
        {
            (string? directory, data) = OverlayOptions.Shorten(data);
            if (directory is not null)
            {
                LinuxException.ThrowIfNegative(LibC.chdir(directory), "chdir", $"mount at '{target}'"); // this thread's directory alone
            }
        }

        // Once it is mounted the mount alone has it.
        using LoopDevice? loop = isImage ? LoopDevice.Attach(mount.Source, (flags & MountFlags.MS_RDONLY) != 0) : null;
        Mounting.At(loop?.Path ?? mount.Source, target, mount.Type, flags, data);
    }
}
