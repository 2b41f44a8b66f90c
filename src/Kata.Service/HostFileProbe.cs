using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>Answers the planner's questions about this host's files.</summary>
internal static class HostFileProbe
{
    /// <summary>What <paramref name="path"/> is after following links.</summary>
    public static HostFileKind KindOf(string path)
    {
        using SafeFileDescriptor file = LibC.open(path, LibC.O_PATH | LibC.O_CLOEXEC, 0);
        if (file.IsInvalid)
        {
            return HostFileKind.Missing;
        }

        FileStatus status = FileStatus.Of(file);
        return status.IsDirectory ? HostFileKind.Directory : status.IsRegularFile ? HostFileKind.RegularFile : HostFileKind.Special;
    }
}
