using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Links as files of their own.</summary>
internal static class SymbolicLink
{
    private const int MaxTarget = 4096; // PATH_MAX

    /// <summary>
    /// What the link at <paramref name="path"/> beneath <paramref name="directory"/> says. Null for what is no link or not there, also when
    /// one of the names before the last is a link.
    /// </summary>
    public static unsafe string? Read(SafeFileDescriptor directory, string path)
    {
        using SafeFileDescriptor file = LibC.openat2(directory, path, new OpenHow
        {
            flags = (ulong)(LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC),
            resolve = LibC.RESOLVE_BENEATH | LibC.RESOLVE_NO_SYMLINKS,
        });
        if (file.IsInvalid)
        {
            return null;
        }

        byte[] buffer = new byte[MaxTarget];
        nint length;
        // SAFETY: the array is pinned for the call, which writes at most its length.
        fixed (byte* first = buffer)
        {
            length = LibC.readlinkat(file, "", first, (nuint)buffer.Length);
        }

        return length < 0 ? null : Encoding.UTF8.GetString(buffer, 0, (int)length);
    }
}
