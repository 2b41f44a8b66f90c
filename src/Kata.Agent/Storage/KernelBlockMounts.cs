using Kata.Agent.Boot;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>The guest's kernel.</summary>
internal sealed class KernelBlockMounts : IBlockMounts
{
    private const string List = "/proc/filesystems";
    private const string WithoutDevice = "nodev"; // what the list has before the name of a file system that is on no disk

    public void RequireFileSystem(string type)
    {
        if (!Known().Contains(type))
        {
            _ = KernelModules.LoadIfThere(type);
        }

        string[] known = Known();
        if (!known.Contains(type))
        {
            throw AgentException.Invalid(
                $"Cannot mount the file system '{type}': the guest's kernel has none of this name for a block device, "
                + $"and its image no module. It has now {string.Join(", ", known)}");
        }
    }

    public void Mount(string device, SafeFileDescriptor directory, BlockMount mount) => LinuxException.ThrowIfNegative(
        LibC.mount(device, $"/proc/self/fd/{directory.Number}", mount.Type, mount.Flags, mount.Data),
        "mount", $"mount '{device}' on '{mount.Path}'");

    public void Unmount(string path)
    {
        using SafeFileDescriptor parent = BlockMountPoint.OpenDirectory(Path.GetDirectoryName(path)!);
        LinuxException.ThrowIfNegative(LibC.umount2(InParent(parent, path), LibC.UMOUNT_NOFOLLOW), "umount2", $"unmount '{path}'");
    }

    public bool TryDetach(string path)
    {
        using SafeFileDescriptor parent = BlockMountPoint.OpenDirectory(Path.GetDirectoryName(path)!);
        return MountedStorage.TryDetach(InParent(parent, path));
    }

    public bool IsClaimed(string device)
    {
        using SafeFileDescriptor claim = LibC.open(device, LibC.O_RDONLY | LibC.O_EXCL | LibC.O_CLOEXEC, 0);
        if (!claim.IsInvalid)
        {
            return false;
        }

        LinuxException error = LinuxException.FromLastErrno("open(O_EXCL)", $"claim the block device '{device}'");
        return error.Errno switch
        {
            Errno.EBUSY => true,
            Errno.ENOENT or Errno.ENXIO or Errno.ENODEV => false,
            _ => throw error,
        };
    }

    // The parent is held: nobody can put another in its place meanwhile.
    private static string InParent(SafeFileDescriptor parent, string path) => $"/proc/self/fd/{parent.Number}/{Path.GetFileName(path)}";

    private static string[] Known() =>
    [
        .. File.ReadAllLines(List)
            .Where(static line => !line.StartsWith(WithoutDevice, StringComparison.Ordinal))
            .Select(static line => line.Trim()),
    ];
}
