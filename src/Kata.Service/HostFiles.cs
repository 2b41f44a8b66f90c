using Kata.Sandbox;

namespace Kata.Service;

/// <summary>Answers the planner's questions about this host's files.</summary>
internal static class HostFiles
{
    public static HostFileKind KindOf(string path)
    {
        var file = new FileInfo(path);
        FileSystemInfo target = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
        if (Directory.Exists(target.FullName))
        {
            return HostFileKind.Directory;
        }

        if (!File.Exists(target.FullName))
        {
            return HostFileKind.Missing;
        }

        // .NET calls everything that is no directory a file; only a regular one has these types out of st_mode.
        return (File.GetAttributes(target.FullName) & (FileAttributes.Device | FileAttributes.ReparsePoint)) == 0 && IsRegular(target.FullName)
            ? HostFileKind.RegularFile
            : HostFileKind.Special;
    }

    private static bool IsRegular(string path) => Linux.FileStatus.Of(path).IsRegularFile;
}
