namespace Kata.Linux;

/// <summary>
/// Runs work on a thread of its own that then ends. Namespaces, credentials, capabilities and the root directory are per-thread
/// state in Linux: changed on a pool thread they would stick to whatever runs there next.
/// </summary>
internal static class NamespaceThread
{
    /// <summary>Runs <paramref name="work"/> and returns its result; its exception comes out here. Blocks the caller; keep it short.</summary>
    public static T Run<T>(Func<T> work)
    {
        T? result = default;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = work();
                }
                catch (Exception error) // a border: the error crosses to the calling thread
                {
                    failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(error);
                }
            },
            maxStackSize: 256 * 1024)
        { IsBackground = true, Name = "namespace" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }
}
