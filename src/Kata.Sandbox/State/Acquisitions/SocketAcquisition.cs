using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Sandbox;

/// <summary>
/// A socket's file in a directory that is not ours. Released by unlinking it, if that is what is there: nothing else at that path
/// would be the pod's.
/// </summary>
internal sealed record SocketAcquisition(string Path) : Acquisition(Name, Path)
{
    public const string Name = "Socket";

    public override Task ReleaseAsync(CancellationToken cancellationToken)
    {
        Remove(Path);
        return Task.CompletedTask;
    }

    /// <summary>Removes the file of a socket. Does nothing where there is none.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static void Remove(string path)
    {
        if (KindOf(path, LibC.O_NOFOLLOW) is { IsSocket: true })
        {
            DirectoryTree.Remove(path);
        }
    }

    /// <summary>What is at a path; null where there is nothing.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="flags">O_NOFOLLOW, or 0.</param>
    public static FileStatus? KindOf(string path, int flags)
    {
        using SafeFileDescriptor file = LibC.open(path, LibC.O_PATH | LibC.O_CLOEXEC | flags, 0);
        return file.IsInvalid ? null : FileStatus.Of(file);
    }
}
