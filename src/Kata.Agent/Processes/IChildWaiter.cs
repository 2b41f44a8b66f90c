using Kata.Linux;

namespace Kata.Agent.Processes;

/// <summary>Waits for any child of this process; the seam that lets the reaper be tested without being PID 1.</summary>
internal interface IChildWaiter
{
    /// <summary>Blocks until a child ended and returns it, or null when there is no child at all.</summary>
    (int Pid, ExitStatus Status)? WaitAny();
}
