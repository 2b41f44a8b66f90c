using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>
/// Where the file system of a block device may be mounted: on any directory, as long as nothing of the guest's own is behind it then. On
/// the way there may be other disks, whose content is anybody's, so no link is followed.
/// </summary>
internal static class BlockMountPoint
{
    /// <summary>The host's files are below it.</summary>
    internal const string SharedDirectory = "/run/kata-containers/shared/containers";

    private const int PathLimit = 4096; // PATH_MAX, with the NUL at the end

    private static readonly string[] s_kernels = ["/proc", "/sys", "/dev"];

    /// <summary>Returns a path that can be a mount point, whatever is there.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument.</exception>
    public static string Check(string path)
    {
        string? objection =
            !path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetByteCount(path) >= PathLimit
                || path.Split('/').Skip(1).Any(static word => word is "" or "." or "..")
                ? "it is not absolute, plain and shorter than 4096 bytes"
            : s_kernels.FirstOrDefault(root => IsWithin(path, root)) is { } root ? $"'{root}' is the kernel's"
            : IsWithin(path, SharedDirectory) || IsWithin(SharedDirectory, path) ? $"'{SharedDirectory}' has the host's files"
            : null;
        return objection is null ? path : throw AgentException.Invalid(
            $"Cannot mount a block device on '{path}': {objection}. "
            + "Give the path of a directory that is missing or empty, such as '/mnt/data'");
    }

    /// <summary>Refuses a path on which there is anything but directories, as far as it exists.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument.</exception>
    public static void CheckWay(string path)
    {
        for (string? at = path; at is not null; at = Path.GetDirectoryName(at))
        {
            using SafeFileDescriptor place = Open(at, LibC.O_PATH | LibC.O_DIRECTORY);
            if (!place.IsInvalid)
            {
                return;
            }

            LinuxException error = LinuxException.FromLastErrno("openat2", $"open '{at}'");
            if (error.Errno != Errno.ENOENT)
            {
                throw Refusal(path, error);
            }
        }
    }

    /// <summary>Opens a directory; nothing is in it, and nothing is mounted on it. The caller owns it.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: it is not so.</exception>
    public static SafeFileDescriptor OpenEmpty(string path)
    {
        SafeFileDescriptor directory = OpenDirectory(path);
        try
        {
            if (Directory.EnumerateFileSystemEntries($"/proc/self/fd/{directory.Number}").Any()
                || MountInfo.Read().Any(mount => mount.MountPoint == path))
            {
                throw AgentException.Invalid(
                    $"Cannot mount a block device on '{path}': it would hide what is there. Give a directory that is missing or empty");
            }

            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Opens a directory to which no link leads. The caller owns it.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: there is none.</exception>
    public static SafeFileDescriptor OpenDirectory(string path)
    {
        SafeFileDescriptor directory = Open(path, LibC.O_RDONLY | LibC.O_DIRECTORY);
        if (!directory.IsInvalid)
        {
            return directory;
        }

        LinuxException error = LinuxException.FromLastErrno("openat2", $"open '{path}'");
        directory.Dispose();
        throw Refusal(path, error);
    }

    private static SafeFileDescriptor Open(string path, int flags)
    {
        using SafeFileDescriptor root = LinuxException.ThrowIfInvalid(LibC.open("/", LibC.O_PATH | LibC.O_CLOEXEC, 0), "open", "open '/'");
        var how = new OpenHow { flags = (ulong)(uint)(flags | LibC.O_CLOEXEC), resolve = LibC.RESOLVE_NO_SYMLINKS };
        return LibC.openat2(root, path, in how);
    }

    private static Exception Refusal(string path, LinuxException error) => error.Errno switch
    {
        Errno.ELOOP => AgentException.Invalid(
            $"Cannot mount a block device on '{path}': a symbolic link is on the way. Give the path behind it"),
        Errno.ENOTDIR => AgentException.Invalid(
            $"Cannot mount a block device on '{path}': there is something that is no directory. Give another path"),
        _ => error,
    };

    private static bool IsWithin(string path, string directory) =>
        path == directory || path.StartsWith(directory.TrimEnd('/') + "/", StringComparison.Ordinal);
}
