using System.Globalization;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>Answers the planner's questions about this host's files.</summary>
/// <param name="callerMounts">
/// A descriptor of the mount namespace of whoever asks for a container, borrowed, or null when it is this process's: engines mount the
/// files that hold namespaces while the pod runs.
/// </param>
internal sealed class HostFileProbe(SafeFileDescriptor? callerMounts) : IHostFiles
{
    /// <summary>Asked by the caller itself.</summary>
    public static HostFileProbe Instance { get; } = new(null);

    public string HostName => File.ReadAllText("/proc/sys/kernel/hostname").TrimEnd('\n'); // not MachineName, which ends at the first dot

    public HostFileKind KindOf(string path)
    {
        using SafeFileDescriptor file = LibC.open(path, LibC.O_PATH | LibC.O_CLOEXEC, 0);
        if (file.IsInvalid)
        {
            return HostFileKind.Missing;
        }

        FileStatus status = FileStatus.Of(file);
        return status.IsDirectory ? HostFileKind.Directory
            : status.IsRegularFile ? HostFileKind.RegularFile
            : !status.IsBlockDevice ? HostFileKind.Special
            : IsReadOnlyDevice(status.DeviceNumber) ? HostFileKind.ReadOnlyBlockDevice
            : HostFileKind.BlockDevice;
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

    public ulong? NamespaceAt(string path) =>
        callerMounts is null ? Look(path) : NamespaceThread.RunIn(callerMounts, "the pod's caller", () => Look(path));

    // As BLKROGET says, without opening the device, which may have effects.
    private static bool IsReadOnlyDevice((uint Major, uint Minor) device)
    {
        string file = string.Create(CultureInfo.InvariantCulture, $"/sys/dev/block/{device.Major}:{device.Minor}/ro");
        try
        {
            return File.ReadAllText(file).TrimEnd() == "1";
        }
        catch (IOException)
        {
            return false; // a node without a device: to open it says so
        }
    }

    // All namespaces are files of one file system.
    private static ulong? Look(string path)
    {
        using SafeFileDescriptor file = LibC.open(path, LibC.O_PATH | LibC.O_CLOEXEC, 0);
        using SafeFileDescriptor other = LibC.open("/proc/self/ns/mnt", LibC.O_PATH | LibC.O_CLOEXEC, 0);
        if (file.IsInvalid || other.IsInvalid)
        {
            return null;
        }

        var status = FileStatus.Of(file);
        return status.Device == FileStatus.Of(other).Device ? status.Inode : null;
    }
}
