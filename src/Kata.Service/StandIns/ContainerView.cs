using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Storage;

namespace Kata.Service;

/// <summary>
/// What an engine finds in the namespaces of a stand-in: the container's root file system as its root, with its volumes, and no process
/// but the stand-in. Where the container has what only the guest has, there is an empty directory that cannot be written: what an engine
/// copies there is refused, and not lost below it.
/// </summary>
internal static class ContainerView
{
    /// <summary>
    /// Makes <paramref name="rootFs"/> the root of the calling process, all its threads, and its mount namespace, which must be its own
    /// already. No path of the host can be opened afterwards.
    /// </summary>
    /// <exception cref="LinuxException">The kernel refused a step: the process is of no use any more.</exception>
    /// <param name="rootFs">On the host.</param>
    /// <param name="mounts">What is mounted in it.</param>
    /// <param name="hostname">For the uts namespace, which is to be the process's own; empty to leave that as it is.</param>
    public static void Enter(string rootFs, IReadOnlyList<ViewedMount> mounts, string hostname)
    {
        if (mounts.Any(static mount => mount.IdMap is not null))
        {
            // To map ids by a child, which the host's own would show under another number.
            Mounting.At("proc", "/proc", "proc", MountFlags.MS_NOSUID | MountFlags.MS_NODEV | MountFlags.MS_NOEXEC, null);
        }

        if (hostname.Length > 0)
        {
            HostName.Set(hostname);
        }

        // A bind mount of it on itself: pivot_root(2) wants a mount point.
        LinuxException.ThrowIfNegative(
            LibC.mount(rootFs, rootFs, null, MountFlags.MS_BIND | MountFlags.MS_REC, null), "mount",
            $"mount the root file system '{rootFs}'");
        using (SafeFileDescriptor root = LinuxException.ThrowIfInvalid(
            LibC.open(rootFs, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", $"open the root file system '{rootFs}'"))
        {
            var mounted = new HashSet<string>(StringComparer.Ordinal);
            foreach (ViewedMount mount in mounts)
            {
                string destination = RootFsPaths.Resolve(root, mount.Destination, mounted);
                mounted.Add(destination);
                Add(root, destination, mount);
            }
        }

        RootDirectory.Enter(rootFs);
        // An image without the directory does without: whoever looks for processes then finds none.
        _ = LibC.mount("proc", "/proc", "proc", MountFlags.MS_NOSUID | MountFlags.MS_NODEV | MountFlags.MS_NOEXEC, null);
    }

    private static void Add(SafeFileDescriptor root, string destination, ViewedMount mount)
    {
        using DetachedMount? tree = mount.Source is { } source ? DetachedMount.Of(source, mount.Recursive) : null;
        bool isDirectory = tree is null || FileStatus.Of(tree.Descriptor).IsDirectory;
        RootFsMountPoints.Make(root, destination, isDirectory);
        using SafeFileDescriptor point = LibC.openat2(root, destination.TrimStart('/'), new OpenHow
        {
            flags = (ulong)(LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC),
            resolve = LibC.RESOLVE_BENEATH | LibC.RESOLVE_NO_SYMLINKS,
        });
        if (point.IsInvalid)
        {
            return; // below what only the guest has, or what cannot be written: nothing can be copied there either
        }

        if (tree is null)
        {
            Mounting.At(
                "none", $"/proc/self/fd/{point.Number}", "tmpfs", MountFlags.MS_RDONLY | MountFlags.MS_NOSUID | MountFlags.MS_NODEV,
                "mode=555,size=4k");
            return;
        }

        if (mount.ReadOnly)
        {
            tree.SetAttributes(LibC.MOUNT_ATTR_RDONLY, recursive: mount.Recursive);
        }

        if (mount.IdMap is { } map)
        {
            using SafeFileDescriptor userNamespace = map.OpenNamespace();
            tree.SetIdMap(userNamespace);
        }

        tree.AttachTo(point);
    }
}
