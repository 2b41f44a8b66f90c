using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Containers;

/// <summary>The socket on which crun hands over the controlling side of a container's terminal.</summary>
/// <remarks>
/// crun lets a further process go on as soon as it has sent the terminal, and waits for nobody. What that process writes first must find
/// the modes that it is to have, so they are set by a thread that waits in the kernel and goes before every other program (sched(7)).
/// </remarks>
internal sealed class ConsoleSocket : IDisposable
{
    private const uint FirstInFirstOut = 1; // SCHED_FIFO
    private const int ReadAndWrite = 2; // SHUT_RDWR

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10); // crun has sent it before it ended; this is for a broken crun

    private readonly SafeFileDescriptor _listener;
    private readonly bool _plainNewlines;
    private readonly TaskCompletionSource _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private SafeFileDescriptor? _terminal; // guarded by _gate; until somebody takes it
    private bool _closed; // guarded by _gate

    private ConsoleSocket(string path, SafeFileDescriptor listener, bool plainNewlines) =>
        (Path, _listener, _plainNewlines) = (path, listener, plainNewlines);

    public string Path { get; }

    /// <param name="path">Where the socket is to be.</param>
    /// <param name="plainNewlines">Whether the terminal leaves the newlines that are written to it as they are.</param>
    public static ConsoleSocket Listen(string path, bool plainNewlines)
    {
        SafeFileDescriptor listener = UnixSocket.Listen(path);
        _ = LibC.fcntl_int(listener, LibC.F_SETFL, 0); // it is waited for in the kernel
        var socket = new ConsoleSocket(path, listener, plainNewlines);
        // It ends with the message, or when disposed.
        new Thread(socket.Run, maxStackSize: 128 * 1024) { IsBackground = true, Name = "console" }.Start();
        return socket;
    }

    /// <summary>The terminal; the caller owns it. Call it after crun has ended well: the message is then there.</summary>
    public async Task<SafeFileDescriptor> ReceiveAsync()
    {
        await _received.Task.WaitAsync(s_limit);
        lock (_gate)
        {
            (SafeFileDescriptor? terminal, _terminal) = (_terminal, null);
            return terminal ?? throw new InvalidOperationException("The terminal was taken before");
        }
    }

    public void Dispose()
    {
        _ = LibC.shutdown(_listener, ReadAndWrite);
        _listener.Dispose();
        File.Delete(Path);
        lock (_gate)
        {
            _closed = true;
            _terminal?.Dispose();
        }
    }

    private void Run()
    {
        try
        {
            _ = LibC.sched_setattr(0, new SchedAttr { size = 48, sched_policy = FirstInFirstOut, sched_priority = 1 });
            using SafeFileDescriptor connection = Accept();
            var received = new List<SafeFileDescriptor>();
            _ = DescriptorPassing.Receive(connection, new byte[4096], received);
            if (received.Count != 1)
            {
                received.ForEach(static descriptor => descriptor.Dispose());
                throw AgentException.Failed($"Cannot attach the terminal: crun passed {received.Count} descriptors instead of one");
            }

            if (_plainNewlines)
            {
                Terminal.LeaveNewlines(received[0]);
            }

            Keep(received[0]);
            _received.TrySetResult();
        }
        catch (Exception error) // a border: the thread's end
        {
            _received.TrySetException(error);
            _ = _received.Task.Exception; // nobody waits where crun has failed
        }
    }

    private void Keep(SafeFileDescriptor terminal)
    {
        lock (_gate)
        {
            if (_closed)
            {
                terminal.Dispose();
            }
            else
            {
                _terminal = terminal;
            }
        }
    }

    // SAFETY: null means that the peer's address is not wanted.
    private unsafe SafeFileDescriptor Accept() =>
        LinuxException.ThrowIfInvalid(LibC.accept4(_listener, null, null, LibC.SOCK_CLOEXEC), "accept4", "accept crun's connection");
}
