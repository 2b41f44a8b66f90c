using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Storage;

/// <summary>
/// Makes the mount points that a container's root file system lacks. The guest does it itself unless the root file system is shared
/// read-only: then nobody there can.
/// </summary>
internal static class RootFsMountPoints
{
    /// <summary>
    /// Makes <paramref name="destination"/>, a directory or an empty file, and the directories above it. What exists is left alone. Links
    /// are followed inside the root file system only, and one that leads nowhere is left for the guest to complain about.
    /// </summary>
    /// <param name="root">The root file system, writable.</param>
    /// <param name="destination">Absolute, as in the specification.</param>
    /// <param name="isDirectory">What to make at the end of the path.</param>
    /// <exception cref="LinuxException">The file system refuses: it is full.</exception>
    public static void Make(SafeFileDescriptor root, string destination, bool isDirectory)
    {
        string[] names = destination.Split('/', StringSplitOptions.RemoveEmptyEntries);
        SafeFileDescriptor? parent = null;
        try
        {
            for (int i = 0; i < names.Length; i++)
            {
                string path = string.Join('/', names.AsSpan(0, i + 1));
                bool last = i == names.Length - 1;
                SafeFileDescriptor next = Open(root, path);
                if (next.IsInvalid && !TryMake(parent ?? root, names[i], isDirectory || !last))
                {
                    return;
                }

                parent?.Dispose();
                parent = next.IsInvalid ? Open(root, path) : next;
                if (parent.IsInvalid)
                {
                    return;
                }
            }
        }
        finally
        {
            parent?.Dispose();
        }
    }

    private static SafeFileDescriptor Open(SafeFileDescriptor root, string path) => LibC.openat2(root, path, new OpenHow
    {
        flags = (ulong)(LibC.O_PATH | LibC.O_CLOEXEC),
        resolve = LibC.RESOLVE_IN_ROOT | LibC.RESOLVE_NO_MAGICLINKS,
    });

    // False when something is there after all, a link that leads nowhere or a file where a directory should be, or nothing can be made.
    private static bool TryMake(SafeFileDescriptor parent, string name, bool isDirectory)
    {
        int result;
        if (isDirectory)
        {
            result = LibC.mkdirat(parent, name, FileModes.ReadableDirectory);
        }
        else
        {
            using SafeFileDescriptor file = LibC.openat2(parent, name, new OpenHow
            {
                flags = (ulong)(LibC.O_CREAT | LibC.O_EXCL | LibC.O_WRONLY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC),
                mode = FileModes.Readable,
                resolve = LibC.RESOLVE_BENEATH | LibC.RESOLVE_NO_SYMLINKS,
            });
            result = file.IsInvalid ? -1 : 0;
        }

        if (result >= 0)
        {
            return true;
        }

        LinuxException error = LinuxException.FromLastErrno("mkdirat", $"make the mount point '{name}' in the root file system");
        return error.Errno is Errno.EEXIST or Errno.ENOTDIR or Errno.EROFS ? false : throw error;
    }
}
