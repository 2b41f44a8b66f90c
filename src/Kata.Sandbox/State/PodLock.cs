using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Sandbox;

/// <summary>
/// The right to begin or to remove one pod: flock(2) on the pod's directory itself, so that it needs no file of its own (on a
/// full disk there would be none) and cannot outlive the directory.
/// </summary>
/// <remarks>
/// Whoever begins a pod makes the directory, takes the lock and passes its descriptor on to the service, which keeps it until it
/// has recorded itself. The lock belongs to the open description, so killing either of the two keeps it held, and killing both
/// frees it: a remover that gets it finds a service to end, which has recorded all that it made, or nobody who makes anything.
/// </remarks>
internal sealed class PodLock : IDisposable
{
    /// <summary>Between two tries: flock has no wait with a limit, and contention is the exception.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    private PodLock(SafeFileDescriptor descriptor) => Descriptor = descriptor;

    /// <summary>The open, locked directory; for a child that is to share the lock.</summary>
    public SafeFileDescriptor Descriptor { get; }

    /// <summary>Whether somebody has removed the directory meanwhile: then nothing in it is ours any more.</summary>
    public bool IsGone => FileStatus.Of(Descriptor).LinkCount == 0;

    /// <summary>Waits for the lock. Null when there is no such directory.</summary>
    /// <param name="directory">The pod's directory.</param>
    /// <param name="opened">The same, borrowed, where another may bear that name by now; null for the one that bears it.</param>
    /// <param name="limit">How long to wait.</param>
    /// <param name="time">Measures it.</param>
    /// <param name="cancellationToken">Calls it off.</param>
    /// <exception cref="TimeoutException">Somebody else holds it.</exception>
    public static async Task<PodLock?> TakeAsync(
        string directory, SafeFileDescriptor? opened, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        SafeFileDescriptor descriptor = LibC.open(
            opened is null ? directory : $"/proc/self/fd/{opened.Number}", LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0);
        if (descriptor.IsInvalid)
        {
            LinuxException error = LinuxException.FromLastErrno("open", $"open the pod's directory '{directory}'");
            descriptor.Dispose();
            return error.Errno == Errno.ENOENT ? null : throw error;
        }

        try
        {
            long start = time.GetTimestamp();
            while (!TryLock(descriptor, directory))
            {
                if (time.GetElapsedTime(start) > limit)
                {
                    throw new TimeoutException(
                        $"Cannot lock the pod's directory '{directory}': "
                            + $"another command has been making or removing the pod for more than {limit.TotalSeconds:0} s. Try again");
                }

                await Task.Delay(s_pause, time, cancellationToken);
            }

            return new PodLock(descriptor);
        }
        catch
        {
            descriptor.Dispose();
            throw;
        }
    }

    /// <summary>Takes the lock, or not: null when somebody has it, or there is no such directory.</summary>
    public static PodLock? TryTake(string directory)
    {
        SafeFileDescriptor descriptor = LibC.open(directory, LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0);
        if (!descriptor.IsInvalid && TryLock(descriptor, directory))
        {
            return new PodLock(descriptor);
        }

        descriptor.Dispose();
        return null;
    }

    /// <summary>Whether somebody holds the lock now: the pod is being begun or removed.</summary>
    public static bool IsTaken(string directory)
    {
        using SafeFileDescriptor descriptor = LibC.open(directory, LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0);
        return !descriptor.IsInvalid && !TryLock(descriptor, directory);
    }

    public void Dispose() => Descriptor.Dispose();

    private static bool TryLock(SafeFileDescriptor descriptor, string directory)
    {
        if (LibC.flock(descriptor, LibC.LOCK_EX | LibC.LOCK_NB) == 0)
        {
            return true;
        }

        LinuxException error = LinuxException.FromLastErrno("flock", $"lock '{directory}'");
        return error.Errno is Errno.EAGAIN or Errno.EINTR ? false : throw error;
    }
}
