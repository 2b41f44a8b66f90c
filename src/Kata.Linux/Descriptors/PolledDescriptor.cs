using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>A non-blocking descriptor whose readiness can be awaited: one reader and one writer at a time.</summary>
internal sealed class PolledDescriptor : IDisposable
{
    private readonly Lock _gate = new();
    private readonly uint _readEvents = LibC.EPOLLIN | LibC.EPOLLRDHUP;
    private TaskCompletionSource? _reader; // guarded by _gate
    private TaskCompletionSource? _writer; // guarded by _gate
    private bool _closed; // guarded by _gate

    /// <summary>Takes ownership of <paramref name="descriptor"/>, which must be pollable (no regular file) and never waits.</summary>
    /// <exception cref="LinuxException">EPERM: the descriptor cannot be polled.</exception>
    public PolledDescriptor(SafeFileDescriptor descriptor)
    {
        Descriptor = descriptor;
        Slot = EventLoop.Shared.Add(this);
    }

    private PolledDescriptor(SafeFileDescriptor descriptor, uint readEvents)
        : this(descriptor) => _readEvents = readEvents;

    /// <summary>
    /// For a file of proc(5) that can always be read and tells that it has changed by POLLPRI, such as <c>/proc/self/mountinfo</c>:
    /// <see cref="WaitReadableAsync"/> completes when it has changed since the last time. Takes ownership.
    /// </summary>
    public static PolledDescriptor ForChanges(SafeFileDescriptor descriptor) => new(descriptor, LibC.EPOLLPRI);

    public SafeFileDescriptor Descriptor { get; }

    internal long Slot { get; }

    /// <summary>Completes when a read would not block: data, end of file or an error is waiting.</summary>
    public Task WaitReadableAsync(CancellationToken cancellationToken) => WaitAsync(ref _reader, cancellationToken);

    /// <summary>Completes when a write would not block.</summary>
    public Task WaitWritableAsync(CancellationToken cancellationToken) => WaitAsync(ref _writer, cancellationToken);

    /// <summary>Ends both waiters with <see cref="ObjectDisposedException"/> and closes the descriptor.</summary>
    public void Dispose()
    {
        TaskCompletionSource? reader, writer;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            (reader, writer) = (_reader, _writer);
            (_reader, _writer) = (null, null);
        }

        EventLoop.Shared.Remove(this);
        Descriptor.Dispose();
        reader?.TrySetException(new ObjectDisposedException(nameof(PolledDescriptor)));
        writer?.TrySetException(new ObjectDisposedException(nameof(PolledDescriptor)));
    }

    internal void OnReady(uint events)
    {
        const uint Either = LibC.EPOLLERR | LibC.EPOLLHUP;
        TaskCompletionSource? reader = null, writer = null;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            if ((events & (_readEvents | Either)) != 0)
            {
                (reader, _reader) = (_reader, null);
            }

            if ((events & (LibC.EPOLLOUT | Either)) != 0)
            {
                (writer, _writer) = (_writer, null);
            }

            Rearm();
        }

        reader?.TrySetResult();
        writer?.TrySetResult();
    }

    private Task WaitAsync(ref TaskCompletionSource? slot, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TaskCompletionSource source;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (slot is { Task.IsCompleted: false })
            {
                throw new InvalidOperationException("This descriptor already has a waiter in this direction");
            }

            // Under the lock: the one-shot registration holds both directions, and a late arm may not drop the other.
            slot = source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Rearm();
        }

        return cancellationToken.CanBeCanceled ? WaitCancellableAsync(source, cancellationToken) : source.Task;
    }

    private static async Task WaitCancellableAsync(TaskCompletionSource source, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration =
            cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), source);
        await source.Task;
    }

    private void Rearm()
    {
        uint events = (_reader is { Task.IsCompleted: false } ? _readEvents : 0)
            | (_writer is { Task.IsCompleted: false } ? LibC.EPOLLOUT : 0);
        if (events != 0)
        {
            EventLoop.Shared.Arm(this, events);
        }
    }
}
