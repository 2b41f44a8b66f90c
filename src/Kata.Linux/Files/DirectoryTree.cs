using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// Removes a directory with all that is in it, whoever made it: names are the kernel's bytes, no link is followed, no mount point is
/// crossed, and depth costs neither stack nor descriptors.
/// </summary>
/// <remarks>
/// Only the directory itself and those directly in it are ever open. What is deeper is first moved up into the directory itself, under
/// a number, and is one of those directly in it from then on.
/// </remarks>
internal static class DirectoryTree
{
    private const int RemoveDirectory = 0x200; // AT_REMOVEDIR, linux/fcntl.h
    private const uint NoReplace = 1; // RENAME_NOREPLACE, linux/fs.h

    /// <summary>Gives a directory another name, which nothing must have: not even an empty one is replaced.</summary>
    /// <exception cref="LinuxException">EEXIST: the name is taken. EXDEV: it is on another file system.</exception>
    public static unsafe void Move(string from, string to)
    {
        using var here = new SafeFileDescriptor(LibC.AT_FDCWD, ownsHandle: false);
        // SAFETY: both names end with NUL, and the arrays are pinned for the call.
        fixed (byte* old = (byte[])[.. Encoding.UTF8.GetBytes(from), 0], name = (byte[])[.. Encoding.UTF8.GetBytes(to), 0])
        {
            LinuxException.ThrowIfNegative(LibC.renameat2(here, old, here, name, NoReplace), "renameat2", $"make the directory '{to}'");
        }
    }
    private const int NameOffset = 19; // struct linux_dirent64: d_ino, d_off, d_reclen at 16, d_type, d_name
    private const int LengthOffset = 16;

    /// <summary>Removes the tree. Not being there is no error.</summary>
    /// <exception cref="LinuxException">
    /// The first failure; all else that could be removed is gone. EBUSY or EXDEV: something is
    /// mounted inside, whose content was not touched.
    /// </exception>
    public static void Remove(string path)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        using SafeFileDescriptor parent = LibC.open(
            Path.GetDirectoryName(path) ?? "/", LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0);
        byte[] name = [.. Encoding.UTF8.GetBytes(Path.GetFileName(path)), 0];
        if (parent.IsInvalid || TryRemove(parent, name, path))
        {
            return;
        }

        using (SafeFileDescriptor top = Open(parent, name, path))
        {
            int number = 0;
            Empty(top, path, child => Flatten(top, child, path, ref number));
        }

        if (!TryRemove(parent, name, path))
        {
            throw new LinuxException(
                "unlinkat", $"remove the directory '{path}'", Errno.ENOTEMPTY, "End what still writes to it, and try again");
        }
    }

    // Removes what is in a directory of one that cannot be removed yet, and moves up what it cannot remove.
    private static bool Flatten(SafeFileDescriptor top, byte[] name, string path, ref int number)
    {
        int next = number;
        bool changed = false;
        try
        {
            using SafeFileDescriptor directory = Open(top, name, path);
            changed = Empty(directory, path, child =>
            {
                while (!TryMove(directory, child, top, next++, path))
                {
                }

                return true;
            });
        }
        catch (LinuxException) when (next > number)
        {
            return true; // the next look comes to what was moved, and then to the failure again
        }
        finally
        {
            number = next;
        }

        return TryRemove(top, name, path) || changed;
    }

    /// <param name="directory">Whose entries are removed, one look after another until a look finds nothing that can be.</param>
    /// <param name="path">For errors.</param>
    /// <param name="rest">Is given each directory that is not empty; whether it could do something about it.</param>
    /// <returns>Whether anything has changed.</returns>
    private static bool Empty(SafeFileDescriptor directory, string path, Func<byte[], bool> rest)
    {
        byte[] entries = new byte[32 * 1024];
        bool ever = false;
        while (true)
        {
            LinuxException? first = null;
            bool changed = false;
            using SafeFileDescriptor look = LinuxException.ThrowIfInvalid(
                LibC.openat(directory, ".", LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "openat", $"read '{path}' to remove it");
            while (Read(look, entries, path) is > 0 and var length)
            {
                for (int at = 0; at < length; at += BinaryPrimitives.ReadUInt16LittleEndian(entries.AsSpan(at + LengthOffset)))
                {
                    ReadOnlySpan<byte> text = entries.AsSpan(at + NameOffset);
                    byte[] name = text[..(text.IndexOf((byte)0) + 1)].ToArray();
                    if (name.AsSpan().SequenceEqual(".\0"u8) || name.AsSpan().SequenceEqual("..\0"u8))
                    {
                        continue;
                    }

                    try
                    {
                        changed |= TryRemove(directory, name, path) || rest(name);
                    }
                    catch (LinuxException error)
                    {
                        first ??= error;
                    }
                }
            }

            ever |= changed;
            if (!changed)
            {
                return first is null ? ever : throw first;
            }
        }
    }

    private static unsafe int Read(SafeFileDescriptor directory, byte[] entries, string path)
    {
        // SAFETY: the kernel writes at most the array's length into it, and the array is pinned for the call.
        fixed (byte* buffer = entries)
        {
            return (int)LinuxException.ThrowIfNegative(
                LibC.getdents64(directory, buffer, (nuint)entries.Length), "getdents64", $"read '{path}' to remove it");
        }
    }

    // False: it is a directory that is not empty.
    private static unsafe bool TryRemove(SafeFileDescriptor directory, byte[] name, string path)
    {
        // SAFETY: the name ends with NUL, and the array is pinned for the calls.
        fixed (byte* text = name)
        {
            if (LibC.unlinkat(directory, text, 0) == 0)
            {
                return true;
            }

            LinuxException error = Failure("unlinkat", name, path);
            if (error.Errno is Errno.EISDIR or Errno.EPERM) // the second is POSIX's, and Linux's for a file that cannot be removed
            {
                if (LibC.unlinkat(directory, text, RemoveDirectory) == 0)
                {
                    return true;
                }

                LinuxException second = Failure("unlinkat", name, path);
                if (second.Errno is Errno.ENOTEMPTY or Errno.EEXIST)
                {
                    return false;
                }

                error = second.Errno == Errno.ENOTDIR ? error : second;
            }

            return error.Errno == Errno.ENOENT ? true : throw error;
        }
    }

    private static unsafe SafeFileDescriptor Open(SafeFileDescriptor parent, byte[] name, string path)
    {
        var how = new OpenHow
        {
            flags = (ulong)(LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC),
            resolve = LibC.RESOLVE_NO_XDEV | LibC.RESOLVE_NO_SYMLINKS | LibC.RESOLVE_BENEATH,
        };
        // SAFETY: the name ends with NUL, and the array is pinned for the call.
        fixed (byte* text = name)
        {
            SafeFileDescriptor directory = LibC.openat2(parent, text, in how);
            if (!directory.IsInvalid)
            {
                return directory;
            }

            directory.Dispose();
            throw Failure("openat2", name, path);
        }
    }

    // False when the number is taken.
    private static unsafe bool TryMove(SafeFileDescriptor directory, byte[] name, SafeFileDescriptor top, int number, string path)
    {
        byte[] target = [.. Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture)), 0];
        // SAFETY: both names end with NUL, and the arrays are pinned for the call.
        fixed (byte* from = name, to = target)
        {
            if (LibC.renameat2(directory, from, top, to, NoReplace) == 0)
            {
                return true;
            }
        }

        LinuxException error = Failure("renameat2", name, path);
        return error.Errno is Errno.EEXIST or Errno.ENOTEMPTY ? false : error.Errno == Errno.ENOENT ? true : throw error;
    }

    private static LinuxException Failure(string call, byte[] name, string path) =>
        LinuxException.FromLastErrno(call, $"remove '{PrintableText.Escape(name.AsSpan(0, name.Length - 1))}' of '{path}'");
}
