using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>poll(2) of one descriptor, for those that are not in the event loop.</summary>
internal static class Readiness
{
    /// <summary>Whether a read would return bytes now.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public static bool IsReadable(SafeFileDescriptor descriptor) =>
        (Poll(descriptor, LibC.POLLIN, timeoutMilliseconds: 0) & LibC.POLLIN) != 0;

    /// <summary>Waits, with this thread, until a write would not block. May come back early.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public static void WaitWritable(SafeFileDescriptor descriptor) => Poll(descriptor, LibC.POLLOUT, timeoutMilliseconds: -1);

    // What a signal interrupts is as what is not ready.
    private static short Poll(SafeFileDescriptor descriptor, short events, int timeoutMilliseconds)
    {
        bool held = false;
        try
        {
            descriptor.DangerousAddRef(ref held); // the number stays this descriptor's during the call
            var entry = new PollFd { fd = descriptor.Number, events = events };
            return LibC.poll(ref entry, 1, timeoutMilliseconds) > 0 ? entry.revents : (short)0;
        }
        finally
        {
            if (held)
            {
                descriptor.DangerousRelease();
            }
        }
    }
}
