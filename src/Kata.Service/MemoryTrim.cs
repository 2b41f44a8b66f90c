namespace Kata.Service;

/// <summary>
/// Gives memory back to the kernel that a pod's creation, or a container's whole life, took: configuration, specification and plans
/// are garbage by then, and the process may idle for years without ever allocating enough to be collected.
/// </summary>
internal static class MemoryTrim
{
    /// <summary>Collects on the pool, after the answer to Create or Delete is on its way.</summary>
    public static async Task RunAsync()
    {
        await Task.Yield();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
