using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Removes a directory with all that is in it, without ever leaving it: no link is followed, no mount point is crossed.</summary>
internal static class DirectoryTree
{
    /// <summary>Deeper than anything of ours; a guest that builds more into its share is stopped here.</summary>
    private const int MaxDepth = 64;

    private const int RemoveDirectoryFlag = 0x200; // AT_REMOVEDIR, linux/fcntl.h

    /// <summary>Removes the tree. Not being there is no error.</summary>
    /// <exception cref="LinuxException">EBUSY or EXDEV: something is mounted inside, whose content was not touched.</exception>
    public static void Remove(string path)
    {
        string parentPath = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path)) ?? "/";
        using SafeFileDescriptor parent = LibC.open(parentPath, LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0);
        if (!parent.IsInvalid)
        {
            RemoveEntry(parent, Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), path, 0);
        }
    }

    private static void RemoveEntry(SafeFileDescriptor parent, string name, string path, int depth)
    {
        if (LibC.unlinkat(parent, name, 0) == 0)
        {
            return;
        }

        LinuxException error = LinuxException.FromLastErrno("unlinkat", $"remove '{path}'");
        switch (error.Errno)
        {
            case Errno.ENOENT:
                return;
            case Errno.EISDIR or Errno.EPERM when depth < MaxDepth:
                RemoveDirectory(parent, name, path, depth);
                return;
            default:
                throw error;
        }
    }

    private static void RemoveDirectory(SafeFileDescriptor parent, string name, string path, int depth)
    {
        var how = new OpenHow
        {
            flags = (ulong)(LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC),
            resolve = LibC.RESOLVE_NO_XDEV | LibC.RESOLVE_NO_SYMLINKS | LibC.RESOLVE_BENEATH,
        };
        using (SafeFileDescriptor directory = LinuxException.ThrowIfInvalid(LibC.openat2(parent, name, in how), "openat2", $"open '{path}' to remove it"))
        {
            foreach (string entry in Directory.EnumerateFileSystemEntries($"/proc/self/fd/{directory.Number}"))
            {
                string child = Path.GetFileName(entry);
                RemoveEntry(directory, child, $"{path}/{child}", depth + 1);
            }
        }

        if (LibC.unlinkat(parent, name, RemoveDirectoryFlag) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("unlinkat", $"remove the directory '{path}'");
            if (error.Errno != Errno.ENOENT)
            {
                throw error;
            }
        }
    }
}
