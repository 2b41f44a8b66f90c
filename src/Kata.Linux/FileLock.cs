using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>An advisory lock on a file (flock(2)), held until disposed or until the process ends.</summary>
internal sealed class FileLock : IDisposable
{
    private readonly SafeFileDescriptor _file;

    private FileLock(SafeFileDescriptor file) => _file = file;

    /// <summary>Creates the file when it is missing and waits for the lock. Blocks the calling thread.</summary>
    public static FileLock Acquire(string path)
    {
        SafeFileDescriptor file = LinuxException.ThrowIfInvalid(
            LibC.open(path, LibC.O_RDWR | LibC.O_CREAT | LibC.O_CLOEXEC, 0x180 /* 0600 */), "open", $"open the lock '{path}'");
        while (LibC.flock(file, LibC.LOCK_EX) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("flock", $"lock '{path}'");
            if (error.Errno != Errno.EINTR)
            {
                file.Dispose();
                throw error;
            }
        }

        return new FileLock(file);
    }

    public void Dispose() => _file.Dispose();
}
