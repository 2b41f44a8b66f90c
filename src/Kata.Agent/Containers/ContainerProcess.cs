using Kata.Agent.Stdio;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Containers;

/// <summary>One process that the host asked for: a container's first, or a further one. Owns its streams and its pidfd.</summary>
internal sealed class ContainerProcess : IDisposable
{
    private readonly SafeFileDescriptor? _pidfd;

    /// <param name="execId">Its name; for the first process the container's.</param>
    /// <param name="pid">In the guest's pid namespace.</param>
    /// <param name="stdio">Owned from here on.</param>
    /// <param name="exited">The reaper's report.</param>
    public ContainerProcess(string execId, int pid, ProcessStdio stdio, Task<ExitStatus> exited)
    {
        ExecId = execId;
        Pid = pid;
        Stdio = stdio;
        SafeFileDescriptor pidfd = LibC.pidfd_open(pid);
        // Opened first, asked afterwards: not yet reaped means that the number was still its own when it was opened.
        if (pidfd.IsInvalid || exited.IsCompleted)
        {
            pidfd.Dispose();
        }
        else
        {
            _pidfd = pidfd;
        }

        Exited = WatchAsync(exited); // ends when the process does
    }

    public string ExecId { get; }

    public int Pid { get; }

    public ProcessStdio Stdio { get; }

    /// <summary>Completes when the process has ended and its streams know it.</summary>
    public Task<ExitStatus> Exited { get; }

    /// <summary>The host has been told how it ended.</summary>
    public bool Waited { get; set; }

    /// <summary>Nobody needs this record any more.</summary>
    public bool Finished => Waited && Stdio.Attached == 0 && Stdio.OutputEnded;

    /// <exception cref="Grpc.Core.RpcException">NotFound: it has ended already.</exception>
    public void Signal(int signal)
    {
        if (_pidfd is null || Exited.IsCompleted)
        {
            throw AgentException.NotFound("process already finished");
        }

        if (LibC.pidfd_send_signal(_pidfd, signal) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("pidfd_send_signal", $"send signal {signal} to the process '{ExecId}'");
            throw error.Errno == Errno.ESRCH ? AgentException.NotFound("process already finished") : error;
        }
    }

    /// <summary>Ends the process, which nobody was told of, and its streams.</summary>
    public void Abandon()
    {
        if (_pidfd is not null && !Exited.IsCompleted)
        {
            _ = LibC.pidfd_send_signal(_pidfd, Signals.SIGKILL); // ended meanwhile is as good
        }

        Dispose();
    }

    public void Dispose()
    {
        Stdio.Dispose();
        _pidfd?.Dispose();
    }

    private async Task<ExitStatus> WatchAsync(Task<ExitStatus> exited)
    {
        ExitStatus status = await exited;
        Stdio.ProcessEnded();
        return status;
    }
}
