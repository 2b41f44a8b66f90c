using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Containers;

/// <summary>The FIFO that holds a created container's first process back: it runs when a byte arrives.</summary>
internal static class StartFifo
{
    /// <summary>Releases the process. False when there is no such FIFO, or nobody reads it: let crun find out why.</summary>
    public static unsafe bool TryRelease(string path)
    {
        // crun opened the reading end before 'create' ended, so this never blocks; without a reader it fails.
        using SafeFileDescriptor fifo = LibC.open(path, LibC.O_WRONLY | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0);
        if (fifo.IsInvalid)
        {
            return false;
        }

        File.Delete(path); // first: crun takes the FIFO's presence for "not started yet"
        byte zero = 0;
        // SAFETY: the kernel reads one byte of the local.
        return LibC.write(fifo, &zero, 1) == 1;
    }
}
