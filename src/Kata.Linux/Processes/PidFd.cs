using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// A process, anybody's child, by a descriptor that never comes to mean another one (pidfd_open(2)). One waiter at a time.
/// </summary>
internal sealed class PidFd : IDisposable
{
    private readonly PolledDescriptor _descriptor;

    private PidFd(int pid, PolledDescriptor descriptor) => (Pid, _descriptor) = (pid, descriptor);

    public int Pid { get; }

    /// <summary>
    /// Opens it. The number may have been given to another process before: whoever is not its parent asks once more, afterwards, whether
    /// it still means the same one.
    /// </summary>
    /// <exception cref="LinuxException">ESRCH: it has ended and been reaped. EMFILE and others: the kernel refused.</exception>
    public static PidFd Open(int pid) =>
        new(pid, new PolledDescriptor(LinuxException.ThrowIfInvalid(LibC.pidfd_open(pid), "pidfd_open", $"watch the process {pid}")));

    /// <summary>
    /// The same, or null when it has ended and been reaped, also where its number is still that of the session or the group that it led:
    /// kernels say EINVAL or ENOENT to that.
    /// </summary>
    public static PidFd? TryOpen(int pid)
    {
        try
        {
            return Open(pid);
        }
        catch (LinuxException error) when (error.Errno is Errno.ESRCH or Errno.EINVAL or Errno.ENOENT)
        {
            return null;
        }
    }

    /// <summary>Sends a signal; false: the process has ended.</summary>
    public bool Kill(int signal)
    {
        if (LibC.pidfd_send_signal(_descriptor.Descriptor, signal) == 0)
        {
            return true;
        }

        LinuxException error = LinuxException.FromLastErrno("pidfd_send_signal", $"send signal {signal} to the process {Pid}");
        return error.Errno is Errno.ESRCH ? false : throw error;
    }

    /// <summary>Completes when the process has ended, reaped or not.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _descriptor.WaitReadableAsync(cancellationToken);

    /// <summary>How it ended. For its parent only, and after <see cref="WaitAsync"/>: else it blocks.</summary>
    /// <param name="reap">False leaves the status to whoever asks next.</param>
    /// <exception cref="LinuxException">ECHILD: it is no child of this process, or was reaped before.</exception>
    public unsafe ExitStatus TakeStatus(bool reap)
    {
        const int Exited = 1; // CLD_EXITED, asm-generic/siginfo.h
        SafeFileDescriptor descriptor = _descriptor.Descriptor;
        bool held = false;
        try
        {
            descriptor.DangerousAddRef(ref held);
            SigInfoChild info;
            // SAFETY: waitid fills one siginfo_t, 128 bytes, which is the size of the local.
            while (LibC.waitid(LibC.P_PIDFD, descriptor.Number, &info, LibC.WEXITED | (reap ? 0 : LibC.WNOWAIT), 0) < 0)
            {
                LinuxException error = LinuxException.FromLastErrno("waitid", $"wait for the process {Pid}");
                if (error.Errno != Errno.EINTR)
                {
                    throw error;
                }
            }

            return info.si_code == Exited ? new ExitStatus(info.si_status, null) : new ExitStatus(null, info.si_status);
        }
        finally
        {
            if (held)
            {
                descriptor.DangerousRelease();
            }
        }
    }

    /// <summary>Releases the descriptor; a waiter gets <see cref="ObjectDisposedException"/>. The process is left as it is.</summary>
    public void Dispose() => _descriptor.Dispose();
}
