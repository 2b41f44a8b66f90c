using Kata.Linux.Interop;

namespace Kata.Agent.Processes;

/// <summary>Process 1 of a pod's shared pid namespace. It holds the namespace, and the orphans that come to it leave no zombies.</summary>
internal static class PauseProcess
{
    /// <summary>The name it is started under.</summary>
    public const string Argument = "pause";

    /// <summary>Never returns; the end of the guest, or SIGKILL, ends it.</summary>
    public static void Run()
    {
        const nint Ignore = 1; // SIG_IGN: the kernel reaps children by itself
        _ = LibC.signal(Kata.Linux.Signals.SIGCHLD, Ignore);
        using var never = new ManualResetEvent(false);
        never.WaitOne();
    }
}
