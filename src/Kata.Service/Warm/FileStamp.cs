using System.Globalization;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Service;

/// <summary>What tells a file from a later one of the same path, without reading it.</summary>
internal static class FileStamp
{
    /// <summary>Its file system, number, size and time of change; of a file that cannot be opened an empty text.</summary>
    public static string Of(string path)
    {
        using SafeFileDescriptor file = LibC.open(path, LibC.O_PATH | LibC.O_CLOEXEC, 0);
        if (file.IsInvalid)
        {
            return "";
        }

        FileStatus status = FileStatus.Of(file);
        return string.Create(CultureInfo.InvariantCulture, $"{status.Device}:{status.Inode} {status.Size} {status.Modified}");
    }
}
