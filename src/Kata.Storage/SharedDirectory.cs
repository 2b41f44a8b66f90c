using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Storage;

/// <summary>
/// The one directory of a pod that its guest sees: a small file system of its own, in memory, that holds nothing but mount points. The
/// daemon's view of it is read-only, so that a guest can neither make, rename nor remove anything there.
/// </summary>
/// <remarks>
/// The directory has shared propagation, so that what is mounted below it later also appears in the namespace of a daemon that serves
/// it, which is a slave. Call it in the service's private mount namespace: when the last process there dies, the kernel drops every
/// mount. Each mount keeps the descriptor it came from and is unmounted by it. Safe for several threads if each name is one thread's.
/// </remarks>
internal sealed class SharedDirectory : IDisposable
{
    private const ulong Always = LibC.MOUNT_ATTR_NOSUID | LibC.MOUNT_ATTR_NODEV; // the guest sees the mode bits all the same
    private const string Data = "mode=755,size=1m"; // directories and empty files take none of it
    private const int RemoveDirectory = 0x200; // AT_REMOVEDIR, linux/fcntl.h
    private const string Daemon = "virtiofsd";

    private readonly DetachedMount _writable; // the same file system, seen by nobody else
    private readonly SafeFileDescriptor _root;
    private readonly SafeFileDescriptor? _daemonNamespace; // null: where this process is

    private SharedDirectory(
        string directory, DetachedMount writable, SafeFileDescriptor root, SafeFileDescriptor? daemonNamespace = null) =>
        (Path, _writable, _root, _daemonNamespace) = (directory, writable, root, daemonNamespace);

    /// <summary>The directory on the host, or "/" when it was opened in its daemon's namespace.</summary>
    public string Path { get; }

    /// <summary>
    /// Makes <paramref name="directory"/> (0700 around it is the caller's part) when it is missing, and mounts an empty file system there.
    /// </summary>
    public static SharedDirectory Create(string directory)
    {
        Directory.CreateDirectory(directory);
        Mounting.At("kata", directory, "tmpfs", MountFlags.MS_NOSUID | MountFlags.MS_NODEV, Data);
        DetachedMount? writable = null;
        try
        {
            writable = DetachedMount.Of(directory, recursive: false);
            SafeFileDescriptor root = OpenDirectory(directory);
            DetachedMount self = DetachedMount.From(root); // mount_setattr(2) takes any descriptor of a mount's root
            self.SetAttributes(LibC.MOUNT_ATTR_RDONLY, recursive: false);
            // First private, then shared: a peer group of its own, not that of the file system around it.
            self.SetPropagation(MountFlags.MS_PRIVATE, recursive: false);
            self.SetPropagation(MountFlags.MS_SHARED, recursive: false);
            return new SharedDirectory(directory, writable, root);
        }
        catch
        {
            writable?.Dispose();
            _ = LibC.umount2(directory, LibC.MNT_DETACH | LibC.UMOUNT_NOFOLLOW);
            throw;
        }
    }

    /// <summary>
    /// Opens the directory that a daemon serves, whoever made it: the daemon's namespace holds everything that was mounted in it, and lives
    /// on when the maker's has gone. For a process that takes a pod over.
    /// </summary>
    /// <param name="daemon">The process that serves it.</param>
    /// <exception cref="LinuxException">ENOENT: there is no such process. EPERM: no right to enter its namespace.</exception>
    public static SharedDirectory Open(int daemon)
    {
        SafeFileDescriptor space = OpenNamespace(daemon);
        try
        {
            return NamespaceThread.RunIn(space, Daemon, () =>
            {
                DetachedMount writable = DetachedMount.Of("/", recursive: false);
                writable.SetAttributes(attributes: 0, recursive: false, cleared: LibC.MOUNT_ATTR_RDONLY);
                return new SharedDirectory("/", writable, OpenDirectory("/"), space);
            });
        }
        catch
        {
            space.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Mounts <paramref name="tree"/>, a directory or a single file, under <paramref name="name"/>.
    /// The tree stays the caller's, to be kept until <see cref="Remove"/>.
    /// </summary>
    /// <param name="tree">Attached nowhere yet.</param>
    /// <param name="name">A plain name that is not in use.</param>
    /// <param name="readOnly">Enforced here, on the host, whatever the guest does.</param>
    public void Add(DetachedMount tree, string name, bool readOnly)
    {
        tree.SetPropagation(MountFlags.MS_PRIVATE, recursive: false);
        tree.SetAttributes(
            Always | (readOnly ? LibC.MOUNT_ATTR_RDONLY : 0ul), recursive: false, cleared: readOnly ? 0ul : LibC.MOUNT_ATTR_RDONLY);
        MakeMountPoint(name, FileStatus.Of(tree.Descriptor).IsDirectory);
        try
        {
            var here = new OpenHow
            {
                flags = (ulong)(LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC),
                resolve = LibC.RESOLVE_BENEATH | LibC.RESOLVE_NO_SYMLINKS,
            };
            using SafeFileDescriptor point = LinuxException.ThrowIfInvalid(
                LibC.openat2(_root, name, in here), "openat2", $"open '{name}' in the shared directory");
            InPlace(() => tree.AttachTo(point));
        }
        catch
        {
            RemoveMountPoint(name);
            throw;
        }
    }

    /// <summary>Unmounts what <see cref="Add"/> mounted, and removes the mount point.</summary>
    public void Remove(DetachedMount tree, string name)
    {
        if (_daemonNamespace is null)
        {
            Unmount(tree.Descriptor, name);
        }
        else
        {
            // Its root is the shared directory, in which only this process makes names.
            InPlace(() => LinuxException.ThrowIfNegative(
                LibC.umount2($"/{name}", LibC.MNT_DETACH | LibC.UMOUNT_NOFOLLOW), "umount2", $"unmount '{name}'"));
        }

        RemoveMountPoint(name);
    }

    /// <summary>Lets the guest write through a mount from now on, or no more, whoever has it open.</summary>
    /// <param name="name">The mount's.</param>
    /// <param name="readOnly">What it shall be.</param>
    /// <param name="daemon">
    /// The process that serves the directory: its copy of the mount, in its own namespace, is the one that counts.
    /// </param>
    /// <exception cref="LinuxException">EBUSY: a file is open for writing, and the mount stays writable.</exception>
    public static void SetReadOnly(string name, bool readOnly, int daemon)
    {
        using SafeFileDescriptor space = OpenNamespace(daemon);
        _ = NamespaceThread.RunIn(space, Daemon, () =>
        {
            // Its root is the shared directory, in which only this process makes names.
            using SafeFileDescriptor mount = LinuxException.ThrowIfInvalid(
                LibC.open($"/{name}", LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0), "open", $"open '{name}' in the shared directory");
            DetachedMount.From(mount).SetAttributes(
                readOnly ? LibC.MOUNT_ATTR_RDONLY : 0ul, recursive: false, cleared: readOnly ? 0ul : LibC.MOUNT_ATTR_RDONLY);
            return true;
        });
    }

    /// <summary>Unmounts the directory, and with it everything in it; one that was opened ends with its daemon.</summary>
    public void Dispose()
    {
        if (_root.IsClosed)
        {
            return;
        }

        if (_daemonNamespace is null)
        {
            Unmount(_root, Path);
        }

        _root.Dispose();
        _writable.Dispose();
        _daemonNamespace?.Dispose();
    }

    private static SafeFileDescriptor OpenNamespace(int daemon) => LinuxException.ThrowIfInvalid(
        LibC.open($"/proc/{daemon}/ns/mnt", LibC.O_CLOEXEC, 0), "open", $"open the mount namespace of {Daemon}");

    private static SafeFileDescriptor OpenDirectory(string directory) => LinuxException.ThrowIfInvalid(
        LibC.open(directory, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0), "open", $"open '{directory}'");

    // Only what is done in the namespace where the directory is mounted changes it: move_mount(2), umount2(2).
    private void InPlace(Action work)
    {
        if (_daemonNamespace is null)
        {
            work();
            return;
        }

        _ = NamespaceThread.RunIn(_daemonNamespace, Daemon, () =>
        {
            work();
            return true;
        });
    }

    // By descriptor: /proc/self/fd/N is that very mount, whatever its path has become.
    private static void Unmount(SafeFileDescriptor mount, string what) => LinuxException.ThrowIfNegative(
        LibC.umount2($"/proc/self/fd/{mount.Number}", LibC.MNT_DETACH), "umount2", $"unmount '{what}'");

    private void MakeMountPoint(string name, bool isDirectory)
    {
        if (isDirectory)
        {
            LinuxException.ThrowIfNegative(
                LibC.mkdirat(_writable.Descriptor, name, FileModes.ReadableDirectory), "mkdirat", $"make the mount point '{name}'");
            return;
        }

        var create = new OpenHow
        {
            flags = (ulong)(LibC.O_CREAT | LibC.O_EXCL | LibC.O_WRONLY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC),
            mode = FileModes.Private,
            resolve = LibC.RESOLVE_BENEATH | LibC.RESOLVE_NO_SYMLINKS,
        };
        LinuxException.ThrowIfInvalid(
            LibC.openat2(_writable.Descriptor, name, in create), "openat2", $"make the mount point '{name}'").Dispose();
    }

    private void RemoveMountPoint(string name)
    {
        if (LibC.unlinkat(_writable.Descriptor, name, RemoveDirectory) < 0)
        {
            _ = LibC.unlinkat(_writable.Descriptor, name, 0); // a file's
        }
    }
}
