using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// Runs work on a thread of its own that then ends. Namespaces, credentials, capabilities and the root directory are per-thread
/// state in Linux: changed on a pool thread they would stick to whatever runs there next.
/// </summary>
internal static class NamespaceThread
{
    /// <summary>Runs <paramref name="work"/> and returns its result, or throws its exception. Blocks the caller; keep it short.</summary>
    public static T Run<T>(Func<T> work)
    {
        T? result = default;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;
        Start(() =>
        {
            try
            {
                result = work();
            }
            catch (Exception error) // a border: the error crosses to the calling thread
            {
                failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(error);
            }
        }).Join();
        failure?.Throw();
        return result!;
    }

    /// <summary>Runs <paramref name="work"/> and returns at once. The task ends with it.</summary>
    public static Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception error) // a border: the error crosses to whoever waits
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    /// <summary>
    /// Runs <paramref name="work"/> likewise, in another mount namespace. Its root directory, working
    /// directory and umask are the thread's own.
    /// </summary>
    /// <param name="mountNamespace">A descriptor of <c>/proc/PID/ns/mnt</c>; null for the caller's own.</param>
    /// <param name="owner">Whose it is, for the error: "the pod's caller".</param>
    /// <param name="work">What is done there.</param>
    public static T RunIn<T>(SafeFileDescriptor? mountNamespace, string owner, Func<T> work) => Run(() =>
    {
        // A thread that shares its root directory with others cannot change its mount namespace: setns(2).
        LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_FS), "unshare(FS)", "leave the shared root directory");
        if (mountNamespace is not null)
        {
            LinuxException.ThrowIfNegative(LibC.setns(mountNamespace, LibC.CLONE_NEWNS), "setns", $"enter the mount namespace of {owner}");
        }

        return work();
    });

    private static Thread Start(ThreadStart work)
    {
        var thread = new Thread(work, maxStackSize: 256 * 1024) { IsBackground = true, Name = "namespace" };
        thread.Start();
        return thread;
    }
}
