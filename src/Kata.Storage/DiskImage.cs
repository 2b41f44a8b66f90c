using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Storage;

/// <summary>A file of the host that is to be a disk: a raw image or a block device, open. Owns the descriptor until it is taken.</summary>
internal sealed class DiskImage : IDisposable
{
    private SafeFileDescriptor? _file;

    private DiskImage(SafeFileDescriptor file, bool isBlockDevice) => (_file, IsBlockDevice) = (file, isBlockDevice);

    /// <summary>Whether the kernel says that it is a block device (<c>S_ISBLK</c>), whatever its path looks like.</summary>
    public bool IsBlockDevice { get; }

    /// <summary>Opens it.</summary>
    /// <param name="path">Absolute; links are followed.</param>
    /// <param name="readOnly">Else it is opened for writing too. A block device that the host itself uses is refused then.</param>
    /// <param name="mountNamespace">Whose path it is; null for our own.</param>
    /// <exception cref="StorageException">It is missing, of another kind, empty, or in use.</exception>
    public static DiskImage Open(string path, bool readOnly, SafeFileDescriptor? mountNamespace) =>
        NamespaceThread.RunIn(mountNamespace, "the pod's caller", () => Open(path, readOnly));

    /// <summary>Gives the descriptor away, once.</summary>
    public SafeFileDescriptor Take() =>
        Interlocked.Exchange(ref _file, null) ?? throw new InvalidOperationException("The image was taken before");

    /// <summary>
    /// The file system on it by its magic number, as mount(8) calls it; null when it is none of those that the guest knows.
    /// </summary>
    public string? FindFileSystem() => FileSystemMagic.Find(_file ?? throw new InvalidOperationException("The image was taken before"));

    public void Dispose() => _file?.Dispose();

    private static DiskImage Open(string path, bool readOnly)
    {
        // Looked at before it is opened: to open a device may have effects, and a fifo would wait for its other end.
        using SafeFileDescriptor place = LibC.open(path, LibC.O_PATH | LibC.O_CLOEXEC, 0);
        if (place.IsInvalid)
        {
            throw Refusal(path, LinuxException.FromLastErrno("open", $"open '{path}'"), readOnly);
        }

        FileStatus status = FileStatus.Of(place);
        if (!status.IsRegularFile && !status.IsBlockDevice)
        {
            throw new StorageException(
                $"Cannot use '{path}' as a disk: it is neither a regular file nor a block device. Name an image, or the device itself");
        }

        if (status.IsRegularFile && status.Size == 0)
        {
            throw new StorageException($"Cannot use '{path}' as a disk: it is empty. Give it a size, for example with 'truncate -s 1G'");
        }

        int flags = LibC.O_CLOEXEC | (readOnly ? LibC.O_RDONLY : LibC.O_RDWR | (status.IsBlockDevice ? LibC.O_EXCL : 0));
        SafeFileDescriptor file = LibC.open($"/proc/thread-self/fd/{place.Number}", flags, 0);
        if (file.IsInvalid)
        {
            LinuxException error = LinuxException.FromLastErrno("open", $"open '{path}'");
            file.Dispose();
            throw Refusal(path, error, readOnly);
        }

        return new DiskImage(file, status.IsBlockDevice);
    }

    private static StorageException Refusal(string path, LinuxException error, bool readOnly) => new(
        error.Errno switch
        {
            Errno.ENOENT or Errno.ENOTDIR => $"Cannot open the disk '{path}': it does not exist. Create it, or correct the path",
            Errno.EBUSY =>
                $"Cannot open the disk '{path}': the host or another machine uses it. Unmount or remove it there, or ask for it read-only",
            Errno.EROFS or Errno.EACCES or Errno.EPERM when !readOnly =>
                $"Cannot open the disk '{path}' for writing: {error.Errno}. Make it writable, or ask for it read-only",
            _ => $"Cannot open the disk '{path}': {error.Errno}. Correct the path",
        });
}
