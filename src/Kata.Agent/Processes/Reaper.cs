using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Processes;

/// <summary>
/// The only place in the agent that waits for processes, its own children and the orphans PID 1 inherits alike. One thread that
/// sleeps in wait4(2); with no child left it sleeps until the next spawn. No child means no descendant either, so no orphan can
/// come while it sleeps there.
/// </summary>
internal sealed class Reaper(IChildWaiter waiter, ExitBoard board, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _spawned = new(0);
    private readonly Lock _spawning = new();

    /// <summary>Starts the thread; it ends with the process.</summary>
    public void Start() => new Thread(Run, maxStackSize: 128 * 1024) { IsBackground = true, Name = "reaper" }.Start();

    /// <summary>Starts a process and returns its id and its exit.</summary>
    /// <param name="options">What is started.</param>
    /// <param name="oomScore">Its <c>oom_score_adj</c>, which what it starts inherits.</param>
    /// <exception cref="LinuxException">The executable cannot be started.</exception>
    public (int Pid, Task<ExitStatus> Exited) Spawn(SpawnOptions options, int oomScore = 0)
    {
        long since = board.Now;
        int pid = SpawnWith(options, oomScore);
        _spawned.Release();
        return (pid, board.Claim(pid, since));
    }

    /// <summary>The mark for <see cref="Adopt"/>; take it before starting what will make the process.</summary>
    public long Now => board.Now;

    /// <summary>The exit of a process that a child of ours left to us.</summary>
    public Task<ExitStatus> Adopt(int pid, long since) => board.Claim(pid, since);

    /// <summary>At the end of the process only: the thread may still use it.</summary>
    public void Dispose() => _spawned.Dispose();

    // A child begins with ours, and we are the one process that the kernel never takes. One at a time: until its exec a child shares our
    // memory, and the kernel sets the score of all that do.
    private int SpawnWith(SpawnOptions options, int oomScore)
    {
        lock (_spawning)
        {
            if (oomScore == 0)
            {
                return ProcessSpawner.Spawn(options);
            }

            OomScore.Write(Environment.ProcessId, oomScore);
            try
            {
                return ProcessSpawner.Spawn(options);
            }
            finally
            {
                OomScore.Write(Environment.ProcessId, 0);
            }
        }
    }

    private void Run()
    {
        try
        {
            while (true)
            {
                if (waiter.WaitAny() is { } exit)
                {
                    board.Post(exit.Pid, exit.Status);
                }
                else
                {
                    _spawned.Wait();
                }
            }
        }
        catch (Exception error) // a border: the thread's end
        {
            logger.ReaperFailed(ErrorText.Of(error));
        }
    }
}
