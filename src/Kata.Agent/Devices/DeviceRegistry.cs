using System.Text;
using Kata.Linux;
using Kata.Linux.Interop;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Devices;

/// <summary>
/// Tells of devices that come while the guest lives, by the kernel's announcements (netlink(7), NETLINK_KOBJECT_UEVENT). Only the fact
/// that something of a subsystem was announced is used: whoever waits looks at /sys again, so a lost or forged message costs one look
/// and no more. Thread-safe.
/// </summary>
internal sealed class DeviceRegistry : IDisposable
{
    private const int MessageLimit = 4096; // the kernel's own are at most half of it (UEVENT_BUFFER_SIZE); what is beyond is cut

    private readonly PolledDescriptor _socket;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, TaskCompletionSource> _next = new(StringComparer.Ordinal); // guarded by _gate; by subsystem
    private Exception? _failure; // guarded by _gate
    private Task? _loop; // guarded by _gate; ends when the socket is disposed

    /// <summary>Takes ownership of a socket on which each announcement is one datagram.</summary>
    internal DeviceRegistry(SafeFileDescriptor socket, ILogger logger) => (_socket, _logger) = (new PolledDescriptor(socket), logger);

    /// <summary>
    /// From here on no device is missed. Nothing is read before <see cref="Start"/> or the first <see cref="WaitAsync"/>.
    /// </summary>
    public static unsafe DeviceRegistry Listen(ILogger logger)
    {
        SafeFileDescriptor socket = LinuxException.ThrowIfInvalid(
            LibC.socket(LibC.AF_NETLINK, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, LibC.NETLINK_KOBJECT_UEVENT), "socket", "listen for devices");
        var address = new SockAddrNl { nl_family = LibC.AF_NETLINK, nl_groups = 1 };
        // SAFETY: the kernel copies the address, which lives on this frame, before bind returns.
        if (LibC.bind(socket, &address, (uint)sizeof(SockAddrNl)) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("bind", "listen for devices");
            socket.Dispose();
            throw error;
        }

        return new DeviceRegistry(socket, logger);
    }

    /// <summary>
    /// Reads what was announced and what will be. Not while modules are loaded: they announce dozens of things that nobody waits for, and
    /// the kernel keeps them, or loses them, at no cost.
    /// </summary>
    public void Start()
    {
        lock (_gate)
        {
            _loop ??= ReceiveAsync();
        }
    }

    /// <summary>
    /// Waits until a look at the system finds something; it looks now, and again after each announcement of the subsystem.
    /// </summary>
    /// <param name="subsystem">The kernel's name of it, such as <c>block</c>.</param>
    /// <param name="look">Null when it is not there yet. Called by one thread at a time, and not on the event loop's.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<T> WaitAsync<T>(string subsystem, Func<T?> look, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            Task next = NextOf(subsystem); // before the look, or what comes in between would be missed
            if (look() is { } found)
            {
                return found;
            }

            Start();
            await next.WaitAsync(cancellationToken);
        }
    }

    /// <summary>At the end of the process only: whoever waits waits for ever.</summary>
    public void Dispose() => _socket.Dispose();

    private Task NextOf(string subsystem)
    {
        lock (_gate)
        {
            if (_failure is not null)
            {
                return Task.FromException(_failure);
            }

            if (!_next.TryGetValue(subsystem, out TaskCompletionSource? next))
            {
                _next[subsystem] = next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return next.Task;
        }
    }

    private async Task ReceiveAsync()
    {
        byte[] message = new byte[MessageLimit];
        try
        {
            while (true)
            {
                await _socket.WaitReadableAsync(CancellationToken.None);
                while (TryReceive(message, out int length))
                {
                    Announce(message.AsSpan(0, length));
                }
            }
        }
        catch (ObjectDisposedException)
        {
            // the end of the process
        }
        catch (Exception error) // a border: the end of the loop
        {
            _logger.DevicesUnseen(ErrorText.Of(error));
            lock (_gate)
            {
                _failure = error;
                Complete(_next.Values, error);
                _next.Clear();
            }
        }
    }

    // An empty message: some were lost, so it may have been about anything.
    private void Announce(ReadOnlySpan<byte> message)
    {
        lock (_gate)
        {
            var announced = new List<string>();
            foreach (string subsystem in _next.Keys)
            {
                if (message.IsEmpty || Uevent.Names(message, Encoding.ASCII.GetBytes(subsystem)))
                {
                    announced.Add(subsystem);
                }
            }

            foreach (string subsystem in announced)
            {
                _next.Remove(subsystem, out TaskCompletionSource? next);
                Complete([next!], null);
            }
        }
    }

    // Continuations run on the thread pool, so this calls nobody.
    private static void Complete(IEnumerable<TaskCompletionSource> waiters, Exception? failure)
    {
        foreach (TaskCompletionSource waiter in waiters)
        {
            _ = failure is null ? waiter.TrySetResult() : waiter.TrySetException(failure);
            _ = waiter.Task.Exception; // nobody may wait any more
        }
    }

    // False: there is none now.
    private unsafe bool TryReceive(byte[] message, out int length)
    {
        // SAFETY: the array is pinned for the call and the kernel writes at most its length; a longer message is cut.
        fixed (byte* first = message)
        {
            while (true)
            {
                length = (int)LibC.recv(_socket.Descriptor, first, (nuint)message.Length, LibC.MSG_DONTWAIT);
                if (length >= 0)
                {
                    return true;
                }

                LinuxException error = LinuxException.FromLastErrno("recv", "listen for devices");
                switch (error.Errno)
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        return false;
                    case Errno.ENOBUFS: // the kernel had no room for some
                        length = 0;
                        return true;
                    default:
                        throw error;
                }
            }
        }
    }
}
