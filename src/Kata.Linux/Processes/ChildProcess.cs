using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>A child of this process on the host. One small thread waits for it; nothing else may wait for it.</summary>
internal sealed class ChildProcess : IDisposable
{
    private const int CldExited = 1; // CLD_EXITED, asm-generic/siginfo.h

    private readonly SafeFileDescriptor _pidfd;
    private readonly bool _reaps;
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // When it cannot be watched, for want of a descriptor or a thread, it is ended: a child that nobody knows of would stay for ever.
    private ChildProcess(int pid, bool reaps)
    {
        (Pid, _reaps) = (pid, reaps);
        try
        {
            // The child is ours and not yet waited for, so the number cannot have been reused.
            _pidfd = LinuxException.ThrowIfInvalid(LibC.pidfd_open(pid), "pidfd_open", $"watch the process {pid}");
            // Ends when the child ends.
            new Thread(Wait, maxStackSize: 64 * 1024) { IsBackground = true, Name = $"wait {pid}" }.Start();
        }
        catch
        {
            _pidfd?.Dispose();
            EndUnwatched(pid); // nobody else knows of it
            throw;
        }
    }

    public int Pid { get; }

    /// <summary>Completes when the process has ended and, unless its status is another's, been reaped.</summary>
    public Task<ExitStatus> Exited => _exited.Task;

    /// <summary>Starts a child in the calling thread's namespaces and credentials.</summary>
    public static ChildProcess Start(SpawnOptions options) => new(ProcessSpawner.Spawn(options), reaps: true);

    /// <summary>Takes over a child of this process that was spawned elsewhere (in a jail) and that nobody has waited for yet.</summary>
    /// <param name="pid">The child.</param>
    /// <param name="reaps">False leaves its status to whoever becomes its parent when we end: an engine that waits for it.</param>
    public static ChildProcess Adopt(int pid, bool reaps = true) => new(pid, reaps);

    /// <summary>Sends a signal; a process that has ended already is not an error.</summary>
    public void Kill(int signal)
    {
        if (LibC.pidfd_send_signal(_pidfd, signal) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("pidfd_send_signal", $"send signal {signal} to the process {Pid}");
            if (error.Errno != Errno.ESRCH)
            {
                throw error;
            }
        }
    }

    /// <summary>Releases the descriptor. The process itself is left as it is.</summary>
    public void Dispose() => _pidfd.Dispose();

    private static unsafe void EndUnwatched(int pid)
    {
        _ = LibC.kill(pid, Signals.SIGKILL); // ours and not yet waited for: the number is no other's
        // SAFETY: null means that the status is not wanted.
        while (LibC.waitid(LibC.P_PID, pid, null, LibC.WEXITED, 0) < 0
            && LinuxException.FromLastErrno("waitid", $"wait for the process {pid}").Errno == Errno.EINTR)
        {
        }
    }

    private unsafe void Wait()
    {
        bool held = false;
        try
        {
            _pidfd.DangerousAddRef(ref held);
            SigInfoChild info;
            // SAFETY: waitid fills one siginfo_t, 128 bytes, which is the size of the local.
            while (LibC.waitid(LibC.P_PIDFD, _pidfd.Number, &info, LibC.WEXITED | (_reaps ? 0 : LibC.WNOWAIT), 0) < 0)
            {
                LinuxException error = LinuxException.FromLastErrno("waitid", $"wait for the process {Pid}");
                if (error.Errno != Errno.EINTR)
                {
                    throw error;
                }
            }

            _exited.TrySetResult(info.si_code == CldExited ? new ExitStatus(info.si_status, null) : new ExitStatus(null, info.si_status));
        }
        catch (Exception error) when (error is LinuxException or ObjectDisposedException)
        {
            _exited.TrySetException(error);
        }
        finally
        {
            if (held)
            {
                _pidfd.DangerousRelease();
            }
        }
    }
}
