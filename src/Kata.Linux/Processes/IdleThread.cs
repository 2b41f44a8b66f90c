using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// A thread that only waits. Its id is a process id of the host that nothing else has: <c>/proc/ID</c> shows the namespaces and control
/// groups of this process, which is all that callers look up by the id of a container whose processes are in another kernel.
/// </summary>
internal sealed class IdleThread : IDisposable
{
    private const int StackBytes = 128 * 1024; // of which it touches a page or two

    private readonly ManualResetEventSlim _end = new();
    private readonly Thread _thread;

    /// <param name="namespaces">New namespaces that the thread has, and this process does not: <c>CLONE_NEWNET</c> or 0.</param>
    /// <exception cref="LinuxException">The kernel refuses the namespaces.</exception>
    public IdleThread(int namespaces = 0)
    {
        using var started = new ManualResetEventSlim();
        LinuxException? failure = null;
        _thread = new Thread(
            () =>
            {
                Id = LibC.gettid();
                if (namespaces != 0 && LibC.unshare(namespaces) < 0)
                {
                    failure = LinuxException.FromLastErrno("unshare", "make new namespaces");
                    started.Set();
                    return;
                }

                started.Set();
                _end.Wait();
            },
            StackBytes)
        { IsBackground = true, Name = "container" };
        _thread.Start();
        started.Wait();
        if (failure is not null)
        {
            Dispose();
            throw failure;
        }
    }

    public int Id { get; private set; }

    /// <summary>Ends the thread and waits for it; a moment later the kernel may give its id to another. Again, it does nothing.</summary>
    public void Dispose()
    {
        if (_thread.IsAlive)
        {
            _end.Set();
            _thread.Join();
        }

        _end.Dispose();
    }
}
