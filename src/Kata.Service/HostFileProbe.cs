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
/// <param name="callerIsLater">Whether the caller has mounted other things, too, since this process has its mounts.</param>
internal sealed class HostFileProbe(SafeFileDescriptor? callerMounts, bool callerIsLater = false) : IHostFiles
{
    private const string Caller = "the pod's caller";

    /// <summary>Asked by the caller itself.</summary>
    public static HostFileProbe Instance { get; } = new(null);

    public string HostName => File.ReadAllText("/proc/sys/kernel/hostname").TrimEnd('\n'); // not MachineName, which ends at the first dot

    public HostFileKind KindOf(string path) => AsCaller(() => LookForKind(path));

    public long? TmpfsSize(string path) => AsCaller(() => FileSystemStatus.TmpfsSize(path));

    public ulong? NamespaceAt(string path) =>
        callerMounts is null ? Look(path) : NamespaceThread.RunIn(callerMounts, Caller, () => Look(path));

    /// <summary>Reads something of the host as the caller sees it.</summary>
    public T AsCaller<T>(Func<T> work) => callerIsLater ? NamespaceThread.RunIn(callerMounts, Caller, work) : work();

    private static HostFileKind LookForKind(string path)
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
