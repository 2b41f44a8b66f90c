namespace Kata.Service;

/// <summary>
/// Gives memory back to the kernel that a pod's creation, or a container's whole life, took: configuration, specification and plans
/// are garbage by then, and the process may idle for years without ever allocating enough to be collected.
/// </summary>
internal static class MemoryTrim
{
    /// <summary>Free memory between objects that is not worth another collection.</summary>
    private const long BearableBytes = 256 * 1024;

    /// <summary>A system call holds its buffer for some microseconds; nothing of ours waits in one for longer.</summary>
    private const int Attempts = 3;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Collects on the pool, after the answer to Start or Delete is on its way. The buffer that a thread writes this answer from, or an
    /// event, cannot be moved meanwhile, and of its region all that lies before it stays: then once more, a moment later.
    /// </summary>
    public static async Task RunAsync(TimeProvider time)
    {
        await Task.Yield();
        for (int attempt = 1; ; attempt++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            if (attempt == Attempts || GC.GetGCMemoryInfo(GCKind.FullBlocking).FragmentedBytes <= BearableBytes)
            {
                return;
            }

            await Task.Delay(s_pause, time);
        }
    }
}
