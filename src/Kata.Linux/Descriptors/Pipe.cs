using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>A pipe(7), both ends CLOEXEC and blocking.</summary>
internal static class Pipe
{
    /// <summary>Creates a pipe; the caller owns both ends.</summary>
    public static unsafe (SafeFileDescriptor Read, SafeFileDescriptor Write) Create()
    {
        int* fds = stackalloc int[2];
        // SAFETY: pipe2 fills exactly two ints.
        LinuxException.ThrowIfNegative(LibC.pipe2(fds, LibC.O_CLOEXEC), "pipe2", "create a pipe");
        return (new SafeFileDescriptor(fds[0]), new SafeFileDescriptor(fds[1]));
    }
}
