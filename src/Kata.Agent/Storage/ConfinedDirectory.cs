using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>
/// A directory out of which no path can lead: the kernel resolves every step below it (openat2(2)). For trees that a container or
/// the host may change at any moment, where checking a path first and using it later is a race.
/// </summary>
internal sealed class ConfinedDirectory : IDisposable
{
    private readonly SafeFileDescriptor _directory;
    private readonly string _path;
    private readonly ulong _resolve;

    private ConfinedDirectory(SafeFileDescriptor directory, string path, ulong resolve)
    {
        _directory = directory;
        _path = path;
        _resolve = resolve;
    }

    /// <summary>Symbolic links are followed as if this directory were '/': for a container's own files.</summary>
    public static ConfinedDirectory OpenAsRoot(string path) => Open(path, LibC.RESOLVE_IN_ROOT | LibC.RESOLVE_NO_MAGICLINKS);

    /// <summary>Symbolic links and '..' beyond the directory are refused: for files the agent writes.</summary>
    public static ConfinedDirectory OpenBeneath(string path) => Open(path, LibC.RESOLVE_BENEATH | LibC.RESOLVE_NO_SYMLINKS);

    /// <summary>Opens a file; <paramref name="path"/> is taken relative to this directory even with a leading slash.</summary>
    /// <exception cref="LinuxException">EXDEV or ELOOP: the path leads out.</exception>
    public SafeFileDescriptor OpenFile(string path, int flags, uint mode = 0)
    {
        var how = new OpenHow { flags = (ulong)(uint)(flags | LibC.O_CLOEXEC), mode = mode, resolve = _resolve };
        return LinuxException.ThrowIfInvalid(LibC.openat2(_directory, Relative(path), in how), "openat2", $"open '{path}' below '{_path}'");
    }

    /// <summary>Opens the directory of a relative path, creating what is missing. The caller owns it.</summary>
    public SafeFileDescriptor OpenParent(string path, uint mode)
    {
        string[] parts = Relative(path).Split('/', StringSplitOptions.RemoveEmptyEntries);
        SafeFileDescriptor current = OpenFile(".", LibC.O_RDONLY | LibC.O_DIRECTORY);
        try
        {
            for (int i = 0; i < parts.Length - 1; i++)
            {
                string below = string.Join('/', parts, 0, i + 1);
                if (LibC.mkdirat(current, parts[i], mode) < 0)
                {
                    LinuxException error = LinuxException.FromLastErrno("mkdirat", $"create the directory '{below}' below '{_path}'");
                    if (error.Errno != Errno.EEXIST)
                    {
                        throw error;
                    }
                }

                SafeFileDescriptor next = OpenFile(below, LibC.O_RDONLY | LibC.O_DIRECTORY);
                current.Dispose();
                current = next;
            }

            return current;
        }
        catch
        {
            current.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The text of a file, or null when there is none or it is larger than <paramref name="limit"/> bytes or not a regular file.
    /// </summary>
    public unsafe string? ReadText(string path, int limit)
    {
        SafeFileDescriptor file;
        try
        {
            file = OpenFile(path, LibC.O_RDONLY | LibC.O_NONBLOCK | LibC.O_NOCTTY); // a FIFO must not hold us up
        }
        catch (LinuxException error) when (
            error.Errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.EXDEV or Errno.ENXIO or Errno.EACCES)
        {
            return null;
        }

        using (file)
        {
            byte[] buffer = new byte[limit + 1];
            int length = 0;
            while (length < buffer.Length)
            {
                nint count;
                // SAFETY: the array is pinned for the call, and the room given is what is left of it.
                fixed (byte* first = &buffer[length])
                {
                    count = LibC.read(file, first, (nuint)(buffer.Length - length));
                }

                if (count <= 0)
                {
                    break; // the end, or a directory or FIFO, which reads as empty
                }

                length += (int)count;
            }

            return length > limit ? null : Encoding.UTF8.GetString(buffer, 0, length);
        }
    }

    public void Dispose() => _directory.Dispose();

    private static ConfinedDirectory Open(string path, ulong resolve) => new(
        LinuxException.ThrowIfInvalid(
            LibC.open(path, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0), "open", $"open the directory '{path}'"),
        path,
        resolve);

    private static string Relative(string path)
    {
        string relative = path.TrimStart('/');
        return relative.Length == 0 ? "." : relative;
    }
}
