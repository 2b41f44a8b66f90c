using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>Answers the planner's questions about this host's files.</summary>
internal sealed class HostFileProbe : IHostFiles
{
    public static HostFileProbe Instance { get; } = new();

    public string HostName => File.ReadAllText("/proc/sys/kernel/hostname").TrimEnd('\n'); // not MachineName, which ends at the first dot

    public HostFileKind KindOf(string path)
    {
        using SafeFileDescriptor file = LibC.open(path, LibC.O_PATH | LibC.O_CLOEXEC, 0);
        if (file.IsInvalid)
        {
            return HostFileKind.Missing;
        }

        FileStatus status = FileStatus.Of(file);
        return status.IsDirectory ? HostFileKind.Directory : status.IsRegularFile ? HostFileKind.RegularFile : HostFileKind.Special;
    }

    public long? TmpfsSize(string path)
    {
        try
        {
            var drive = new DriveInfo(path); // statfs(2) of any path
            return drive.DriveFormat == "tmpfs" ? drive.TotalSize : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null; // it is gone, or not ours to see
        }
    }
}
