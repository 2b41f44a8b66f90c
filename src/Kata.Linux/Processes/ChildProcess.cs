using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>A child of this process on the host. Nothing else may wait for it. What watches it goes when it ends.</summary>
internal sealed class ChildProcess
{
    private readonly PidFd _process;
    private readonly bool _reaps;

    // When it cannot be watched, for want of a descriptor, it is ended: a child that nobody knows of would stay for ever.
    private ChildProcess(int pid, bool reaps)
    {
        _reaps = reaps;
        try
        {
            // The child is ours and not yet waited for, so the number cannot have been reused.
            _process = PidFd.Open(pid);
        }
        catch
        {
            EndUnwatched(pid); // nobody else knows of it
            throw;
        }

        Exited = WatchAsync(); // ends when the child ends
    }

    public int Pid => _process.Pid;

    /// <summary>Completes when the process has ended and, unless its status is another's, been reaped.</summary>
    public Task<ExitStatus> Exited { get; }

    /// <summary>Starts a child in the calling thread's namespaces and credentials.</summary>
    public static ChildProcess Start(SpawnOptions options) => new(ProcessSpawner.Spawn(options), reaps: true);

    /// <summary>Takes over a child of this process that was spawned elsewhere (in a jail) and that nobody has waited for yet.</summary>
    /// <param name="pid">The child.</param>
    /// <param name="reaps">False leaves its status to whoever becomes its parent when we end: an engine that waits for it.</param>
    public static ChildProcess Adopt(int pid, bool reaps = true) => new(pid, reaps);

    /// <summary>Sends a signal; a process that has ended already is not an error.</summary>
    public void Kill(int signal)
    {
        try
        {
            _ = _process.Kill(signal);
        }
        catch (ObjectDisposedException)
        {
            // It has ended, and what watched it is gone.
        }
    }

    private static unsafe void EndUnwatched(int pid)
    {
        _ = LibC.kill(pid, Signals.SIGKILL); // ours and not yet waited for: the number is no other's
        // SAFETY: null means that the status is not wanted.
        while (LibC.waitid(LibC.P_PID, pid, null, LibC.WEXITED, 0) < 0
            && LinuxException.FromLastErrno("waitid", $"wait for the process {pid}").Errno == Errno.EINTR)
        {
        }
    }

    private async Task<ExitStatus> WatchAsync()
    {
        using (_process)
        {
            await _process.WaitAsync(CancellationToken.None);
            return _process.TakeStatus(_reaps);
        }
    }
}
