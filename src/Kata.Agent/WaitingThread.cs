namespace Kata.Agent;

/// <summary>
/// Work that waits in the kernel, perhaps for a disk: on a thread of its own, as the pool has no more threads than the guest has
/// processors, and the containers' streams need them.
/// </summary>
internal static class WaitingThread
{
    /// <summary>Runs <paramref name="work"/> to its end, which nothing can hurry.</summary>
    /// <param name="name">The thread's.</param>
    /// <param name="work">Its result, or its exception, is the task's.</param>
    public static Task<T> RunAsync<T>(string name, Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(
            () =>
            {
                try
                {
                    done.SetResult(work());
                }
                catch (Exception error) // a border: the error crosses to whoever awaits
                {
                    done.SetException(error);
                }
            },
            maxStackSize: 256 * 1024)
        { IsBackground = true, Name = name };
        thread.Start(); // ends with the work
        return done.Task;
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public static Task RunAsync(string name, Action work) => RunAsync(name, () =>
    {
        work();
        return true;
    });
}
