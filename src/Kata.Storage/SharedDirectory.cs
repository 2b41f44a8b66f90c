using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Storage;

/// <summary>
/// The one directory of a pod that its guest sees. Everything in it may be changed by a hostile guest at any time; what we do in
/// it goes beneath descriptors, without links, and is undone by descriptor.
/// </summary>
/// <remarks>
/// <para>The directory is a mount of its own with shared propagation, so that what is mounted below it later also appears in the
/// namespace of a daemon that serves it, which is a slave. Call it in the service's private mount namespace: when the last process
/// there dies, the kernel drops every mount.</para>
/// <para>Each mount keeps the descriptor it came from. Unmounting by that descriptor cannot be led elsewhere by a link or by a
/// renamed directory (CVE-2020-2024), and attaching to an opened directory cannot either (CVE-2020-2026).</para>
/// </remarks>
internal sealed class SharedDirectory : IDisposable
{
    private const ulong Always = LibC.MOUNT_ATTR_NOSUID | LibC.MOUNT_ATTR_NODEV; // the guest sees the mode bits all the same
    private const int MaxNameBytes = 255;
    private const int RemoveDirectory = 0x200; // AT_REMOVEDIR, linux/fcntl.h

    private readonly SafeFileDescriptor _root;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DetachedMount> _mounts = []; // guarded by _gate

    private SharedDirectory(string directory, SafeFileDescriptor root)
    {
        Path = directory;
        _root = root;
    }

    /// <summary>The directory on the host.</summary>
    public string Path { get; }

    /// <summary>What is mounted in it now, by relative path.</summary>
    public IReadOnlyList<string> Mounts
    {
        get
        {
            lock (_gate)
            {
                return [.. _mounts.Keys.Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Makes <paramref name="directory"/> (0700 around it is the caller's part) when it is missing, and mounts it on itself, shared.</summary>
    public static SharedDirectory Create(string directory)
    {
        Directory.CreateDirectory(directory);
        using (DetachedMount self = DetachedMount.Of(directory, recursive: false))
        {
            // First private, then shared: a peer group of its own, not that of the file system around it.
            self.SetPropagation(MountFlags.MS_PRIVATE, recursive: false);
            self.SetAttributes(Always, recursive: false);
            self.AttachTo(directory);
            self.SetPropagation(MountFlags.MS_SHARED, recursive: false);
        }

        return new SharedDirectory(directory, LinuxException.ThrowIfInvalid(
            LibC.open(directory, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0), "open", $"open '{directory}'"));
    }

    /// <summary>
    /// Mounts <paramref name="tree"/>, a directory or a single file, at <paramref name="target"/> beneath the directory, making the
    /// mount point and the directories above it. Takes ownership of the tree.
    /// </summary>
    /// <param name="tree">From <see cref="HostMounts.OpenTree"/>.</param>
    /// <param name="target">Relative, without <c>.</c> and <c>..</c>.</param>
    /// <param name="readOnly">Enforced here, on the host, whatever the guest does.</param>
    /// <exception cref="LinuxException">ELOOP or EXDEV: somebody put a link in the way.</exception>
    public void AddMount(DetachedMount tree, string target, bool readOnly)
    {
        try
        {
            string[] names = Split(target);
            tree.SetPropagation(MountFlags.MS_PRIVATE, recursive: true);
            tree.SetAttributes(Always | (readOnly ? LibC.MOUNT_ATTR_RDONLY : 0ul), recursive: true);
            lock (_gate)
            {
                if (_mounts.ContainsKey(target))
                {
                    throw new StorageException($"Cannot mount at '{target}': something is mounted there already. Use another name");
                }

                using SafeFileDescriptor point = MakeMountPoint(names, FileStatus.Of(tree.Descriptor).IsDirectory);
                tree.AttachTo(point);
                _mounts.Add(target, tree);
            }
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    /// <summary>Unmounts what <see cref="AddMount"/> mounted there, and removes the empty mount point. Returns false when there is nothing.</summary>
    public bool RemoveMount(string target)
    {
        lock (_gate)
        {
            if (!_mounts.Remove(target, out DetachedMount? mount))
            {
                return false;
            }

            using (mount)
            {
                Unmount(mount.Descriptor, target);
            }

            RemoveMountPoint(Split(target));
            return true;
        }
    }

    /// <summary>Unmounts everything, the directory itself included. The directory stays, empty but for what the guest left.</summary>
    public void Dispose()
    {
        foreach (string target in Mounts.Reverse())
        {
            RemoveMount(target);
        }

        if (!_root.IsClosed)
        {
            Unmount(_root, Path);
            _root.Dispose();
        }
    }

    /// <summary>The names of a relative path, each checked; nothing that would climb or stay.</summary>
    internal static string[] Split(string target)
    {
        string[] names = target.Split('/');
        foreach (string name in names)
        {
            if (name is "" or "." or ".." || name.Contains('\0', StringComparison.Ordinal) || System.Text.Encoding.UTF8.GetByteCount(name) > MaxNameBytes)
            {
                throw new StorageException(
                    $"Cannot mount at '{PrintableText.Escape(target)}': it is not a relative path of plain names. Use names such as 'c1/rootfs'");
            }
        }

        return names;
    }

    // By descriptor: /proc/self/fd/N is that very mount, whatever its path has become.
    private static void Unmount(SafeFileDescriptor mount, string what) => LinuxException.ThrowIfNegative(
        LibC.umount2($"/proc/self/fd/{mount.Number}", LibC.MNT_DETACH), "umount2", $"unmount '{what}'");

    private SafeFileDescriptor MakeMountPoint(string[] names, bool isDirectory)
    {
        SafeFileDescriptor parent = OpenParent(names, create: true);
        try
        {
            string name = names[^1];
            if (isDirectory)
            {
                MakeDirectory(parent, name);
            }
            else
            {
                var create = new OpenHow
                {
                    flags = (ulong)(LibC.O_CREAT | LibC.O_WRONLY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC | LibC.O_NONBLOCK),
                    mode = 0x180, // 0600
                    resolve = LibC.RESOLVE_BENEATH | LibC.RESOLVE_NO_SYMLINKS,
                };
                LinuxException.ThrowIfInvalid(LibC.openat2(parent, name, in create), "openat2", $"make the mount point '{name}'").Dispose();
            }

            return OpenBeneath(parent, name, isDirectory);
        }
        finally
        {
            parent.Dispose();
        }
    }

    private SafeFileDescriptor OpenParent(string[] names, bool create)
    {
        SafeFileDescriptor parent = OpenBeneath(_root, ".", isDirectory: true);
        foreach (string name in names.AsSpan(0, names.Length - 1))
        {
            using SafeFileDescriptor above = parent;
            if (create)
            {
                MakeDirectory(above, name);
            }

            parent = OpenBeneath(above, name, isDirectory: true);
        }

        return parent;
    }

    private static void MakeDirectory(SafeFileDescriptor parent, string name)
    {
        if (LibC.mkdirat(parent, name, 0x1ed /* 0755 */) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("mkdirat", $"make the directory '{name}'");
            if (error.Errno != Errno.EEXIST)
            {
                throw error;
            }
        }
    }

    private static SafeFileDescriptor OpenBeneath(SafeFileDescriptor directory, string name, bool isDirectory)
    {
        var how = new OpenHow
        {
            flags = (ulong)(LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC | (isDirectory ? LibC.O_DIRECTORY : 0)),
            resolve = LibC.RESOLVE_BENEATH | LibC.RESOLVE_NO_SYMLINKS | LibC.RESOLVE_NO_MAGICLINKS,
        };
        return LinuxException.ThrowIfInvalid(LibC.openat2(directory, name, in how), "openat2", $"open '{name}' in the shared directory");
    }

    private void RemoveMountPoint(string[] names)
    {
        try
        {
            using SafeFileDescriptor parent = OpenParent(names, create: false);
            if (LibC.unlinkat(parent, names[^1], RemoveDirectory) < 0)
            {
                _ = LibC.unlinkat(parent, names[^1], 0); // a file's mount point; what the guest put there instead may stay
            }
        }
        catch (LinuxException)
        {
            // The guest moved it away: it is the guest's litter, and goes with the directory.
        }
    }
}
